# What up.sh and down.sh have in common: sourced by both.
#
# A node's interfaces, addresses and ports are fixed, so that there is one on a machine at a time; so is the directory in which
# everything is that it writes.
node=/var/tmp/oidc-operator-node
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=$root/bin/node
logs=$programs/log # of the last node, when it is down
socket=$node/containerd/containerd.sock
guard=oidc-operator-node # the nftables table that keeps pods from leaving the machine
sysctls=(net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables kernel.panic kernel.panic_on_oops vm.overcommit_memory)

say() { echo "node: $*" >&2; }
fail() { say "$*"; exit 1; }

# born prints when a process was started, which tells it from a later one with its number; nothing when there is none.
born() { # pid
  local line
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  line=${line##*) } # the name before it may hold blanks
  [ "${line%% *}" = Z ] || awk '{ print $20 }' <<<"$line"
}

runs() { # program: does the process still run that up.sh has started?
  local pid since name
  while read -r pid since name; do
    [ "$name" != "$1" ] || [ "$(born "$pid")" != "$since" ] || return 0
  done <"$node/processes"
  return 1
}
