#!/usr/bin/env bash
# Makes sure that the browser tests find a Chromium: the one that is there, else
# Debian's package.
set -euo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable headless-shell; do
  if command -v "$name" >/dev/null; then exit; fi
done
[ "$(uname)" = Darwin ] && [ -d "/Applications/Google Chrome.app" ] && exit

fail() { echo "chromium: $*; the browser tests need one (package chromium)" >&2; exit 1; }

command -v apt-get >/dev/null || fail "not installed, and there is no apt-get to install it with"
as_root=()
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || fail "not installed, and neither root nor passwordless sudo to install it"
  as_root=(sudo -n)
fi
start=$SECONDS log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "chromium: installing Debian's package"
{
  "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium
} >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; fail "apt-get could not install it"; }
echo "chromium: installed in $((SECONDS - start)) s"
