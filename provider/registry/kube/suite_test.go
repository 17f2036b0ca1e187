package kube_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/registry/kube"
)

// cluster is the API server that the tests of this package share. Every test has a namespace of its own.
type cluster struct {
	environment *envtest.Environment
	admin       client.Client
	// addUser is held while a user is added: envtest does not do that for two at a time.
	addUser sync.Mutex
}

var shared cluster

func TestMain(m *testing.M) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "KUBEBUILDER_ASSETS is not set: run `make test`, which obtains kube-apiserver and etcd and sets it")
		os.Exit(1)
	}
	os.Exit(func() int {
		shared.environment = &envtest.Environment{}
		config, err := shared.environment.Start()
		if err != nil {
			fmt.Fprintln(os.Stderr, "start API server:", err)
			return 1
		}
		defer func() { _ = shared.environment.Stop() }()
		scheme := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, coordinationv1.AddToScheme, rbacv1.AddToScheme} {
			if err := add(scheme); err != nil {
				fmt.Fprintln(os.Stderr, "make scheme:", err)
				return 1
			}
		}
		if shared.admin, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
			fmt.Fprintln(os.Stderr, "make client:", err)
			return 1
		}
		return m.Run()
	}())
}

// namespace is a test's own, with the Role that a provider's ServiceAccount has.
type namespace struct {
	client.Client
	name   string
	config *rest.Config
}

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	must(t, shared.admin.Create(t.Context(), ns))
	shared.addUser.Lock()
	user, err := shared.environment.AddUser(envtest.User{Name: "provider-of-" + ns.Name}, nil)
	shared.addUser.Unlock()
	must(t, err)
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns.Name, Name: "provider"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "patch", "update", "delete"}},
		},
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: role.ObjectMeta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "provider-of-" + ns.Name}},
	}
	must(t, shared.admin.Create(t.Context(), role))
	must(t, shared.admin.Create(t.Context(), binding))
	return &namespace{Client: client.NewNamespacedClient(shared.admin, ns.Name), name: ns.Name, config: user.Config()}
}

// replica is a running source with its index.
type replica struct {
	*registry.Index
	*kube.Source
	log  *syncBuffer
	stop func()
}

func (n *namespace) start(t *testing.T, name string, change ...func(*kube.Options)) *replica {
	t.Helper()
	r := &replica{log: &syncBuffer{}}
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	var err error
	r.Index, err = registry.NewIndex(logger)
	must(t, err)
	opts := kube.Options{Config: n.config, Namespace: n.name, Provider: "sso", Replica: name, Index: r.Index, Logger: logger}
	for _, f := range change {
		f(&opts)
	}
	r.Source, err = kube.New(opts)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, func() bool { return true }) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v; want nil once its context is done", err)
		}
	})
	t.Cleanup(r.stop)
	eventually(t, "synced", r.Synced)
	return r
}

func clientSecret(name, clientID string, change ...func(*corev1.Secret)) *corev1.Secret {
	data, err := json.Marshal(registration.Client{
		ClientID: clientID, RedirectURIs: []string{"https://app.example.com/cb"}, Scope: "openid",
		Secrets: []registration.ClientSecret{{ID: "1", Hash: registration.HashSecret(clientID)}},
	})
	if err != nil {
		panic(err)
	}
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:   name,
			Labels: map[string]string{registration.LabelProvider: "sso", registration.LabelKind: string(registration.KindClient)},
		},
		Type: registration.SecretType,
		Data: map[string][]byte{registration.KindClient.File(): data},
	}
	for _, f := range change {
		f(s)
	}
	return s
}

// expectClients waits until exactly these clients are registered.
func (r *replica) expectClients(t *testing.T, ids ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("exactly the clients %v are registered", ids), func() bool {
		for _, id := range ids {
			if _, ok := r.Client(id); !ok {
				return false
			}
		}
		return r.Counts().Clients == len(ids)
	})
}

// expectReport waits until a replica's Lease tells that a resource version is applied, and returns the Lease.
func (n *namespace) expectReport(t *testing.T, replica, resourceVersion string) *coordinationv1.Lease {
	t.Helper()
	lease := &coordinationv1.Lease{}
	eventually(t, "lease sso-"+replica+" reports "+resourceVersion, func() bool {
		if err := n.Get(t.Context(), client.ObjectKey{Name: "sso-" + replica}, lease); err != nil {
			must(t, client.IgnoreNotFound(err))
			return false
		}
		return number(t, lease.Annotations[registration.AnnotationApplied]) >= number(t, resourceVersion)
	})
	return lease
}

func number(t *testing.T, resourceVersion string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(resourceVersion, 10, 64)
	must(t, err)
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// gate is a network between a replica and the API server that can be cut.
type gate struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	cut      bool
	open     map[net.Conn]bool
}

func newGate(t *testing.T, config *rest.Config) (*gate, *rest.Config) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	through := rest.CopyConfig(config)
	target, _, err := rest.DefaultServerURL(config.Host, "", corev1.SchemeGroupVersion, true)
	must(t, err)
	g := &gate{listener: listener, target: target.Host, open: map[net.Conn]bool{}}
	through.Host = "https://" + listener.Addr().String()
	t.Cleanup(func() { _ = listener.Close() })
	go g.serve()
	return g, through
}

func (g *gate) serve() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", g.target)
		if err != nil || !g.admit(in, out) {
			_ = in.Close()
			continue
		}
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	}
}

func (g *gate) admit(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if g.cut {
			_ = c.Close()
		} else {
			g.open[c] = true
		}
	}
	return !g.cut
}

// set cuts every connection and refuses new ones, or lets them through again.
func (g *gate) set(cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = cut
	for c := range g.open {
		_ = c.Close()
		delete(g.open, c)
	}
}

// writeKubeconfig makes a kubeconfig file of a config with a client certificate.
func writeKubeconfig(t *testing.T, config *rest.Config) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{"ca": config.CAData, "cert": config.CertData, "key": config.KeyData}
	for name, data := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	path := filepath.Join(dir, "kubeconfig")
	must(t, os.WriteFile(path, fmt.Appendf(nil, `
apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: test}}]
clusters: [{name: test, cluster: {server: %q, certificate-authority: ca}}]
users: [{name: test, user: {client-certificate: cert, client-key: key}}]
`, config.Host), 0o600))
	return path
}
