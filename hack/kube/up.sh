#!/usr/bin/env bash
# up.sh [REFERENCE=LAYOUT...]
# A Kubernetes of one node on this machine, with containerd, Services and DNS, and the given images (of hack/image) to run. Prints the
# path of its kubeconfig; progress goes to standard error.
#
# Every image is pulled from a registry on loopback, under whatever name, and pods reach nothing but each other and this machine. What is written is
# in one directory, apart from two bridges, a route, nftables tables and some sysctls: down.sh undoes all of it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
here=$root/hack/kube
images=("$@")

[ -w /proc/sys/net/ipv4/ip_forward ] || fail "/proc/sys is not writable: a node needs root on a machine, virtual or not, or in a privileged container"
"$here/down.sh"
found=$(find /sys/fs/cgroup -maxdepth 2 -type d -name 'kubepods*' -print -quit)
[ -z "$found" ] || fail "another Kubernetes node runs on this machine ($found exists); use another machine"
for bridge in kube-br0 kube-node0; do
  [ ! -e "/sys/class/net/$bridge" ] || fail "an interface $bridge exists, which is none of ours; remove it: ip link del $bridge"
done
mkdir -m 711 "$node"
mkdir -p "$node"/{pki,log,etcd,kubelet,net.d,ipam,containerd,certs.d/_default}
cd "$node"
: >processes
export PATH=$programs:$PATH KUBECONFIG=$node/kubeconfig

name=node1 address=10.89.0.1 pods=10.244.0.0/24 services=10.96.0.0/16 kubernetes=10.96.0.1 dns=10.96.0.10
api=https://$address:6443 etcd=http://127.0.0.1:12379

start() { # name command...: in a session of its own, so that Ctrl-C leaves it for down.sh
  local name=$1
  shift
  setsid "$@" >"log/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(born $!) $name" >>processes
}
await() { # seconds program what-for command...
  local end=$((SECONDS + $1)) program=$2 what=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    if ! runs "$program"; then
      tail -n 3 "log/$program.log" >&2
      fail "$program has ended; its log is in $logs"
    fi
    [ "$SECONDS" -lt "$end" ] || fail "$program did not $what in time; logs are in $logs"
    sleep 0.1
  done
}

# ---- the machine
[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter 2>/dev/null ||
  fail "the kernel has no module br_netfilter, without which pods of one node do not reach Services; load it or use another kernel"
for key in "${sysctls[@]}"; do echo "$key $(sysctl -n "$key")"; done >sysctls
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
ip link add kube-node0 type bridge || fail "no bridge can be made: $(ip link add kube-node0 type bridge 2>&1)"
ip addr add $address/32 dev kube-node0
ip link set kube-node0 up
ip route add $services dev kube-node0 src $address # or the addresses of Services would go to the default gateway
nft -f - <<EOF
table inet $guard {
  chain forward {
    type filter hook forward priority -10
    iifname "kube-br0" oifname != { "kube-br0", "kube-node0" } reject
  }
}
EOF

# ---- keys and certificates
certificate() { # file common-name organization alternative-names
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "pki/$1.key" -subj "${3:+/O=$3}/CN=$2" |
    openssl x509 -req -CA pki/ca.crt -CAkey pki/ca.key -days 30 -out "pki/$1.crt" \
      -extfile <(printf 'keyUsage=digitalSignature\nextendedKeyUsage=clientAuth,serverAuth\n%s\n' "${4:+subjectAltName=$4}")
}
{
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout pki/ca.key -subj /CN=node -days 30 -out pki/ca.crt
  openssl genrsa -out pki/tokens.key 2048
  openssl rsa -in pki/tokens.key -pubout -out pki/tokens.pub
  certificate kube-apiserver kube-apiserver '' "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:$address,IP:$kubernetes"
  certificate apiserver-kubelet kube-apiserver-kubelet-client system:masters
  certificate admin admin system:masters
  certificate kube-controller-manager system:kube-controller-manager
  certificate kube-scheduler system:kube-scheduler
  certificate kube-proxy system:kube-proxy
  certificate kubelet system:node:$name system:nodes "DNS:$name,IP:$address"
} >log/pki.log 2>&1 || { tail -n 3 log/pki.log >&2; fail "openssl could not make certificates"; }
kubeconfig() { # certificate file
  (umask 077 && cat >"$2") <<EOF
apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "$api", certificate-authority: $node/pki/ca.crt}}]
users: [{name: $1, user: {client-certificate: $node/pki/$1.crt, client-key: $node/pki/$1.key}}]
contexts: [{name: node, context: {cluster: node, user: $1}}]
current-context: node
EOF
}
for program in kubelet kube-proxy kube-scheduler kube-controller-manager; do kubeconfig $program $program.kubeconfig; done
kubeconfig admin kubeconfig

# ---- etcd and the API server
start etcd etcd --data-dir="$node/etcd" --listen-client-urls=$etcd --advertise-client-urls=$etcd \
  --listen-peer-urls=http://127.0.0.1:12380 --initial-advertise-peer-urls=http://127.0.0.1:12380 \
  --initial-cluster=default=http://127.0.0.1:12380 --unsafe-no-fsync --log-level=warn
start kube-apiserver kube-apiserver --etcd-servers=$etcd --bind-address=$address --advertise-address=$address \
  --secure-port=6443 --service-cluster-ip-range=$services --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --allow-privileged=true --client-ca-file=pki/ca.crt \
  --tls-cert-file=pki/kube-apiserver.crt --tls-private-key-file=pki/kube-apiserver.key \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file=pki/tokens.pub --service-account-signing-key-file=pki/tokens.key \
  --kubelet-certificate-authority=pki/ca.crt --kubelet-preferred-address-types=InternalIP \
  --kubelet-client-certificate=pki/apiserver-kubelet.crt --kubelet-client-key=pki/apiserver-kubelet.key

# ---- images and containers
add_image() { # name of a program
  image build "$node/images/$1" "/$1" "$programs/$1"
  images+=("node.test/$1:dev=$node/images/$1")
}
mkdir images
add_image pause
add_image coredns
start registry image serve 127.0.0.1:0 "${images[@]}"
await 60 registry "take the images" grep -q ^serving log/registry.log
registry=http://$(awk '$1 == "serving" { print $2 }' log/registry.log)
cat >certs.d/_default/hosts.toml <<EOF
server = "$registry"
[host."$registry"]
  capabilities = ["pull", "resolve"]
EOF
snapshotter=overlayfs
[ "$(stat -fc %T "$node")" != overlayfs ] || snapshotter=native # there is no overlay on an overlay
cat >containerd.toml <<EOF
version = 2
root = "$node/containerd/root"
state = "$node/containerd/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "node.test/pause:dev"
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  restrict_oom_score_adj = true # a container may not be allowed to lower it
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$snapshotter"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "$node/containerd/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$node/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$node/certs.d"
[plugins."io.containerd.internal.v1.opt"]
  path = "$node/containerd/opt"
EOF
cat >net.d/10-kube.conflist <<EOF
{"cniVersion": "1.0.0", "name": "kube", "plugins": [
  {"type": "bridge", "bridge": "kube-br0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$node/ipam", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
EOF
start containerd containerd --config "$node/containerd.toml"
await 60 containerd answer ctr --address "$socket" version

# ---- the rest of the control plane, and the node
await 120 kube-apiserver "become ready" kubectl get --raw /readyz
# Not before: it ends when it finds no roles yet.
start kube-controller-manager kube-controller-manager --kubeconfig=kube-controller-manager.kubeconfig \
  --authentication-kubeconfig=kube-controller-manager.kubeconfig --authorization-kubeconfig=kube-controller-manager.kubeconfig \
  --bind-address=127.0.0.1 --leader-elect=false --use-service-account-credentials \
  --service-account-private-key-file=pki/tokens.key --root-ca-file=pki/ca.crt \
  --cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key
start kube-scheduler kube-scheduler --kubeconfig=kube-scheduler.kubeconfig --authentication-kubeconfig=kube-scheduler.kubeconfig \
  --authorization-kubeconfig=kube-scheduler.kubeconfig --bind-address=127.0.0.1 --leader-elect=false
: >resolv.conf
cat >kubelet.yaml <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $address
failCgroupV1: false # a machine may still have version 1
cgroupDriver: cgroupfs
failSwapOn: false
oomScoreAdj: 0 # where it cannot be lowered,
maxOpenFiles: 20000 # nor this be raised
makeIPTablesUtilChains: false
containerRuntimeEndpoint: unix://$socket
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $node/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $node/pki/kubelet.crt
tlsPrivateKeyFile: $node/pki/kubelet.key
clusterDomain: cluster.local
clusterDNS: [$dns]
resolvConf: $node/resolv.conf
volumePluginDir: $node/kubelet-plugins
podLogsDir: $node/pods
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
EOF
start kubelet kubelet --config=kubelet.yaml --kubeconfig=kubelet.kubeconfig --root-dir="$node/kubelet" \
  --cert-dir="$node/kubelet/pki" --hostname-override=$name --node-ip=$address
cat >kube-proxy.yaml <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $node/kube-proxy.kubeconfig}
mode: nftables
hostnameOverride: $name
clusterCIDR: $pods
bindAddress: $address
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
nodePortAddresses: [$address/32]
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
EOF
start kube-proxy kube-proxy --config=kube-proxy.yaml
kubectl apply -f "$here/coredns/coredns.yaml" >log/coredns.log 2>&1 || { tail -n 3 log/coredns.log >&2; fail "the manifests of CoreDNS could not be applied"; }
await 120 kubelet "register the node" kubectl get node $name
kubectl wait --for=condition=Ready "node/$name" --timeout=120s >/dev/null || fail "the node did not become ready; logs are in $logs"
kubectl -n kube-system rollout status deployment/coredns --timeout=120s >/dev/null || fail "CoreDNS did not become ready; logs are in $logs"
say "ready after $SECONDS s"
echo "$KUBECONFIG"
