#!/usr/bin/env bash
# Makes sure that the programs are there with which a node runs containers: those
# that are installed, else Debian's packages.
set -euo pipefail

fail() { echo "node: $*" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || fail "a node needs Linux, and this is $(uname -s)"
[ "$(id -u)" = 0 ] || fail "a node needs root, for containers, bridges and mounts; run it as root"

missing=()
need() { # package program...
  local package=$1 program
  shift
  for program; do
    command -v "$program" >/dev/null || { missing+=("$package"); return; }
  done
}
need containerd containerd ctr
need runc runc
need containernetworking-plugins /usr/lib/cni/bridge /usr/lib/cni/host-local /usr/lib/cni/loopback
need iproute2 ip
need nftables nft
need iptables iptables
need conntrack conntrack
need procps sysctl
need openssl openssl
need util-linux flock setsid
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || fail "${missing[*]} not installed, and there is no apt-get to install it with"
start=$SECONDS log=$(mktemp) policy=/usr/sbin/policy-rc.d
trap 'rm -f "$log"' EXIT
echo "node: installing ${missing[*]}" >&2
# containerd's package would start a service, which nobody asked for.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$log" "$policy"' EXIT
fi
{
  apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
} >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; fail "apt-get could not install ${missing[*]}"; }
echo "node: installed in $((SECONDS - start)) s" >&2
