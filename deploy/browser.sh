#!/bin/sh
# Have a browser for the journeys: Debian's Chromium. As root on Debian it is installed; elsewhere
# one line says what is missing. With CI=true a missing browser is a failure. Where Chromium without a
# window is there (Debian: chromium-headless-shell), it is used: it opens a page in half the time.
set -u
[ -x /usr/lib/chromium/chromium-headless-shell ] && exit 0
for name in chromium /usr/bin/chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium for the browser tests (once) …"
  if apt-get update -qq >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive \
     apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; then
    exit 0
  fi
fi
echo "No Chromium: the browser tests need /usr/bin/chromium (Debian: apt-get install chromium)."
[ "${CI:-}" = true ] && exit 1
exit 0
