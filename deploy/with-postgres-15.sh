#!/usr/bin/env bash
# Run a command with DATABASE_URL naming a PostgreSQL 15 of Debian's, started for it on loopback and
# stopped by its process id afterwards. As root on Debian the server is installed when missing.
set -euo pipefail
bin=/usr/lib/postgresql/15/bin
if [ ! -x "$bin/postgres" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 >/dev/null
  else
    echo "PostgreSQL 15 is not here: apt-get install postgresql-15"
    exit 1
  fi
fi
# In memory where there is room: it is thrown away with all that is in it.
room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1 || echo 0)
folder=$(if [ "$room" -gt 4194304 ]; then mktemp -d -p /dev/shm; else mktemp -d; fi)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$folder"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
secret=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
printf '%s' "$secret" > "$folder/secret"
[ "$(id -u)" = 0 ] && chown postgres "$folder/secret"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U postgres --auth=scram-sha-256 \
  --pwfile="$folder/secret" -E UTF8 --locale=C >/dev/null
"${as[@]}" "$bin/postgres" -D "$folder/data" -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 \
  -c fsync=off -c full_page_writes=off -c synchronous_commit=off >"$folder/log" 2>&1 &
server=$!
trap 'kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && break
  sleep 0.1
done
"$@" DATABASE_URL="postgresql://postgres:$secret@127.0.0.1:$port/postgres"
