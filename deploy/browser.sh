#!/bin/sh
# Have a browser for the journeys: Debian's Chromium, best the one without a window, which opens a
# page in half the time. As root on Debian it is installed; elsewhere one line says what is missing.
# With CI=true a missing browser is a failure.
set -u
[ -x /usr/lib/chromium/chromium-headless-shell ] && exit 0
if [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium for the browser tests (once) …"
  # Where there is no network, nobody waits long to hear of it.
  once="-o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10"
  if timeout 60 apt-get $once update -qq >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive \
     timeout 300 apt-get $once install -y -qq --no-install-recommends chromium-headless-shell \
     >/dev/null 2>&1; then
    exit 0
  fi
fi
for name in chromium /usr/bin/chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
echo "No Chromium: the browser tests need it (Debian: apt-get install chromium-headless-shell)."
[ "${CI:-}" = true ] && exit 1
exit 0
