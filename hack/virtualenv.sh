#!/usr/bin/env bash
# Makes sure that test/applications finds an application that is written in
# Python: in bin/NAME, a virtual environment with the versions of its
# requirements.txt, made by the Python that is there, else by Debian's.
#   hack/virtualenv.sh NAME PACKAGE
set -euo pipefail

cd "$(dirname "$0")/.."
name=$1 package=$2
requirements=test/applications/$name/requirements.txt
environment=bin/$name
installed=$environment/requirements.txt # copied last: what is there without it is half an installation
oldest=3.11

cmp -s "$requirements" "$installed" && "$environment/bin/python" -c '' 2>/dev/null && exit

fail() { echo "$name: $*; test/applications needs Python $oldest or newer with venv (packages python3, python3-venv)" >&2; exit 1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  command -v apt-get >/dev/null || fail "not installed, and there is no apt-get to install it with"
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "not installed, and neither root nor passwordless sudo to install it"
    as_root=(sudo -n)
  fi
  echo "$name: installing Debian's packages python3 and python3-venv"
  {
    "${as_root[@]}" apt-get update &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 python3-venv
  } >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; fail "apt-get could not install it"; }
fi
python3 -c "import sys; sys.exit(sys.version_info < (${oldest/./, }))" || fail "$(python3 --version) is too old"

echo "$name: installing $(grep -o "^$package==[^ ]*" "$requirements") and what it needs into $environment, from PyPI"
python3 -m venv --clear "$environment" >"$log" 2>&1 || { tail -n 5 "$log" >&2; fail "python3 -m venv failed"; }
# Ready-made packages only, each with the checksum that it is to have: nothing is compiled, and nobody's setup script runs.
hack/progress.sh "$name: pip install" "$environment/bin/python" -m pip install --disable-pip-version-check --no-input \
  --require-hashes --only-binary :all: -r "$requirements"
cp "$requirements" "$installed"
