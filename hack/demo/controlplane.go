package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// startControlPlane gives back an administrator's access to an API server: the
// one that runs from an earlier start of the demo, or a new and empty one.
func (d *demo) startControlPlane(ctx context.Context) (*rest.Config, error) {
	if config, err := d.runningControlPlane(ctx); err == nil {
		d.say("the control plane is still up at %s", config.Host)
		return config, nil
	}
	// Nothing of an earlier one is of use: its certificates name other ports,
	// and its resources may be of another version of the API.
	if err := d.forget(); err != nil {
		return nil, err
	}
	ca, err := d.issueCertificates()
	if err != nil {
		return nil, fmt.Errorf("make the control plane's certificates: %w", err)
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	etcd := fmt.Sprintf("https://127.0.0.1:%d", ports[0])
	peer := fmt.Sprintf("https://127.0.0.1:%d", ports[1])
	if _, err := d.processes.launch("etcd", nil, d.asset("etcd"),
		"--name=demo", "--data-dir="+filepath.Join(d.dir, "etcd"), "--log-level=warn", "--unsafe-no-fsync",
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--cert-file="+ca.certFile("etcd"), "--key-file="+ca.keyFile("etcd"), "--client-cert-auth", "--trusted-ca-file="+ca.certFile("ca"),
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=demo="+peer,
		"--peer-cert-file="+ca.certFile("etcd"), "--peer-key-file="+ca.keyFile("etcd"), "--peer-client-cert-auth", "--peer-trusted-ca-file="+ca.certFile("ca"),
	); err != nil {
		return nil, err
	}
	apiserver, err := d.processes.launch("kube-apiserver", nil, d.asset("kube-apiserver"),
		"--etcd-servers="+etcd, "--etcd-cafile="+ca.certFile("ca"), "--etcd-certfile="+ca.certFile("etcd"), "--etcd-keyfile="+ca.keyFile("etcd"),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", fmt.Sprintf("--secure-port=%d", ports[2]),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--tls-cert-file="+ca.certFile("apiserver"), "--tls-private-key-file="+ca.keyFile("apiserver"), "--client-ca-file="+ca.certFile("ca"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-signing-key-file="+ca.keyFile("serviceaccount"), "--service-account-key-file="+ca.keyFile("serviceaccount"),
	)
	if err != nil {
		return nil, err
	}
	config, err := d.writeAdminKubeconfig(ca, fmt.Sprintf("https://127.0.0.1:%d", ports[2]))
	if err != nil {
		return nil, err
	}
	err = d.processes.waitFor(ctx, "the API server", 2*time.Minute, apiserver, func(ctx context.Context) error { return ready(ctx, config) })
	if err != nil {
		return nil, err
	}
	d.say("etcd and kube-apiserver are up at %s", config.Host)
	return config, nil
}

// runningControlPlane is that of an earlier start, if it answers.
func (d *demo) runningControlPlane(ctx context.Context) (*rest.Config, error) {
	for _, name := range controlPlane {
		if d.processes.running(name) == 0 {
			return nil, fmt.Errorf("%s does not run", name)
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", d.kubeconfig())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return config, ready(ctx, config)
}

func ready(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

// issueCertificates makes those of the control plane and the key that signs
// ServiceAccount tokens.
func (d *demo) issueCertificates() (*authority, error) {
	ca, err := newAuthority(filepath.Join(d.dir, "pki"))
	if err != nil {
		return nil, err
	}
	for _, c := range []struct{ name, user, group string }{
		{"etcd", "etcd", ""},
		{"apiserver", "kube-apiserver", ""},
		{"admin", "admin", "system:masters"},
	} {
		if err := ca.issue(c.name, c.user, c.group); err != nil {
			return nil, err
		}
	}
	_, err = ca.newKey("serviceaccount")
	return ca, err
}

// freePorts finds TCP ports on loopback that nobody listens on at the moment.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // not before all are found: none twice
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// asset is the path of one of etcd, kube-apiserver and kubectl.
func (d *demo) asset(name string) string { return filepath.Join(d.assets, name) }

func (d *demo) kubeconfig() string { return filepath.Join(d.dir, "kubeconfig") }
