#!/usr/bin/env bash
# Makes sure that test/conformance finds the relying party that it runs with
# Node.js: the Node.js that is there, else Debian's packages, and its libraries
# in the versions of package-lock.json.
set -euo pipefail

cd "$(dirname "$0")/../test/conformance/openid-client"
oldest=20

fail() { echo "openid-client: $*; test/conformance needs Node.js $oldest or newer with npm (packages nodejs, npm)" >&2; exit 1; }

start=$SECONDS log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  command -v apt-get >/dev/null || fail "not installed, and there is no apt-get to install it with"
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "not installed, and neither root nor passwordless sudo to install it"
    as_root=(sudo -n)
  fi
  echo "openid-client: installing Debian's packages nodejs and npm"
  {
    "${as_root[@]}" apt-get update &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm
  } >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; fail "apt-get could not install it"; }
fi
version=$(node --version)
major=${version#v}
[ "${major%%.*}" -ge "$oldest" ] || fail "$version is too old"

# npm writes this file last: libraries older than the lock file are of another version.
installed=node_modules/.package-lock.json
[ "$installed" -nt package-lock.json ] && exit
npm ci --no-audit --no-fund --ignore-scripts >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; fail "npm ci failed"; }
touch "$installed"
echo "openid-client: installed in $((SECONDS - start)) s"
