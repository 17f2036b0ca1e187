#!/usr/bin/env bash
# Makes sure that the storage tests find PostgreSQL's programs: those that are
# there, else Debian's package. The tests start servers of their own.
set -euo pipefail
shopt -s nullglob

command -v initdb >/dev/null && exit
# Where packages put it, which test/pgtest looks for as well.
found=(/usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb /opt/homebrew/opt/postgresql@*/bin/initdb)
[ ${#found[@]} -gt 0 ] && exit

fail() { echo "postgres: $*; the storage tests need its programs (package postgresql)" >&2; exit 1; }

command -v apt-get >/dev/null || fail "not installed, and there is no apt-get to install it with"
as_root=()
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || fail "not installed, and neither root nor passwordless sudo to install it"
  as_root=(sudo -n)
fi
start=$SECONDS log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "postgres: installing Debian's package"
# The package would make a cluster and start a server, which nobody asked for.
config=/etc/postgresql-common/createcluster.conf
{
  { [ -e "$config" ] || { "${as_root[@]}" mkdir -p "${config%/*}" && echo 'create_main_cluster = false' | "${as_root[@]}" tee "$config"; }; } &&
    "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold postgresql
} >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; fail "apt-get could not install it"; }
echo "postgres: installed in $((SECONDS - start)) s"
