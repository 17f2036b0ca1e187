#!/usr/bin/env bash
# down.sh: ends what up.sh has started and puts the machine back, also after a run that was killed.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
[ -e "$node" ] || exit 0
cd "$node" || exit 1

# ends NAME, if it still is the process that was recorded: asks, and after ten seconds insists.
stop() {
  local name pid since signal
  while read -r pid since name; do
    [ "$name" = "$1" ] || continue
    for signal in TERM KILL; do
      [ "$(born "$pid")" = "$since" ] || break
      kill "-$signal" "$pid" 2>/dev/null
      for _ in {1..100}; do
        [ "$(born "$pid")" = "$since" ] || break
        sleep 0.1
      done
    done
  done <processes
}

# Nothing starts a container any more; then the containers, and what watches each.
[ ! -e processes ] || for name in kubelet kube-scheduler kube-controller-manager; do stop $name; done
for _ in {1..50}; do
  mapfile -t pids < <(find /sys/fs/cgroup -path '*/kubepods*' -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un)
  [ ${#pids[@]} -gt 0 ] || break
  kill -KILL "${pids[@]}" 2>/dev/null
  sleep 0.1
done
for task in containerd/state/io.containerd.runtime.v2.task/k8s.io/*/; do
  [ ! -e "$task/address" ] || rm -f "$(sed 's,^unix://,,' "$task/address")"
done
for process in /proc/[0-9]*; do
  [[ "$(readlink "$process/exe" 2>/dev/null)" == */containerd-shim-* ]] || continue
  tr '\0' '\n' <"$process/cmdline" | grep -qxF -- "$socket" && kill -KILL "${process#/proc/}"
done
[ ! -e processes ] || for name in containerd registry kube-proxy kube-apiserver etcd; do stop $name; done

# Mounts: volumes, network namespaces, layers; the deepest first.
awk -v dir="$node/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
  umount "$mount" 2>/dev/null || umount -l "$mount"
done
"$programs/kube-proxy" --cleanup >/dev/null 2>&1
nft delete table inet "$guard" 2>/dev/null
for bridge in kube-br0 kube-node0; do ip link del "$bridge" 2>/dev/null; done # the route goes with it
find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} \; 2>/dev/null
[ ! -e sysctls ] || while read -r name value; do sysctl -qw "$name=$value"; done <sysctls

# What kubelet and CNI leave elsewhere.
find /var/log/containers -maxdepth 1 -type l -lname "$node/*" -delete 2>/dev/null
for file in /var/lib/cni/results/kube-*-eth0; do
  id=${file##*/kube-}
  rm -f "$file" "/var/lib/cni/results/cni-loopback-${id%-eth0}-lo"
done
rm -f /var/lib/kubelet/device-plugins/kubelet.sock
rmdir /run/containerd/s /run/containerd /var/log/containers /var/lib/cni/results /var/lib/cni \
  /var/lib/kubelet/device-plugins /var/lib/kubelet 2>/dev/null

mkdir -p "$programs"
rm -rf "$logs"
mv log "$logs" 2>/dev/null
cd /
rm -rf --one-file-system "$node" || fail "$node is still in use; see \`grep $node /proc/mounts\`"
