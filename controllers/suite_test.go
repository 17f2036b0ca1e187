package controllers_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers"
)

const providerImage = "registry.example.com/oidc-operator:test"

var (
	ctx            context.Context
	cluster        *envtest.Environment
	k8s            client.Client
	kubeconfig     string
	providerBinary string
	operator       *runningOperator
)

func TestControllers(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; run the tests with: make test")
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Controllers")
}

var _ = BeforeSuite(func() {
	log.SetLogger(GinkgoLogr)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	SetDefaultConsistentlyDuration(500 * time.Millisecond)
	var cancel context.CancelFunc
	ctx, cancel = context.WithCancel(context.Background())
	DeferCleanup(cancel)

	cluster = &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := cluster.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(cluster.Stop()).To(Succeed()) })
	scheme, err := controllers.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	kubeconfig = filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(kubeconfig, cluster.KubeConfig, 0o600)).To(Succeed())
	providerBinary, err = gexec.Build("github.com/oidc-operator/oidc-operator/cmd/provider")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)

	operator = startOperator(config)
	DeferCleanup(func() { operator.stop() })
})

// runningOperator is the operator in this process.
type runningOperator struct {
	stop func()
	// writes counts what it has asked the API server to write, by method and path.
	writes *writeCounter
}

// startOperator runs the operator as its program does, but for its ports.
func startOperator(config *rest.Config, change ...func(*controllers.Options)) *runningOperator {
	GinkgoHelper()
	config = rest.CopyConfig(config)
	config.QPS = -1
	writes := &writeCounter{}
	config.Wrap(writes.around)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:     k8s.Scheme(),
		Cache:      controllers.CacheOptions(),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: skipNameValidation(),
	})
	Expect(err).NotTo(HaveOccurred())
	running, cancel := context.WithCancel(ctx)
	options := controllers.Options{ProviderImage: providerImage, DefaultKeyGrace: 2 * time.Second}
	for _, c := range change {
		c(&options)
	}
	Expect(controllers.SetUp(running, mgr, options)).To(Succeed())
	var done sync.WaitGroup
	done.Go(func() {
		defer GinkgoRecover()
		Expect(mgr.Start(running)).To(Succeed())
	})
	return &runningOperator{writes: writes, stop: func() { cancel(); done.Wait() }}
}

// operateThrough runs the operator with another transport until the spec ends. The spec has to be Serial.
func operateThrough(around func(http.RoundTripper) http.RoundTripper) {
	GinkgoHelper()
	operator.stop()
	config := rest.CopyConfig(cluster.Config)
	config.Wrap(around)
	operator = startOperator(config)
	DeferCleanup(func() {
		operator.stop()
		operator = startOperator(cluster.Config)
	})
}

// settled waits until the operator has nothing left to write.
func settled() {
	GinkgoHelper()
	var before int64
	Eventually(func() bool {
		before = operator.writes.count.Load()
		time.Sleep(1500 * time.Millisecond)
		return operator.writes.count.Load() == before
	}).Should(BeTrue())
}

// skipNameValidation lets one process run one operator after another.
func skipNameValidation() config.Controller {
	return config.Controller{SkipNameValidation: new(true)}
}

// writeCounter counts requests that change something.
type writeCounter struct {
	count atomic.Int64
	mu    sync.Mutex
	seen  []string
}

func (w *writeCounter) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			w.count.Add(1)
			w.mu.Lock()
			w.seen = append(w.seen, req.Method+" "+req.URL.Path)
			w.mu.Unlock()
		}
		return next.RoundTrip(req)
	})
}

// in lists what was written in a namespace.
func (w *writeCounter) in(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []string
	for _, request := range w.seen {
		if strings.Contains(request, "/namespaces/"+namespace+"/") {
			found = append(found, request)
		}
	}
	return found
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// newNamespace creates a namespace of its own for a test.
func newNamespace(labels map[string]string) string {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels}}
	Expect(k8s.Create(ctx, ns)).To(Succeed())
	// Of two providers with one issuer the younger is refused, in whatever namespaces they are.
	DeferCleanup(func() {
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.OIDCProvider{}, client.InNamespace(ns.Name))).To(Succeed())
	})
	return ns.Name
}

// current reads an object again and returns it, for Eventually.
func current[T client.Object](obj T) func(Gomega) T {
	return func(g Gomega) T {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
		return obj
	}
}

// create creates an object and returns it.
func create[T client.Object](obj T) T {
	GinkgoHelper()
	Expect(k8s.Create(ctx, obj)).To(Succeed())
	return obj
}

// secretNamed reads a Secret.
func secretNamed(namespace, name string) func(Gomega) *corev1.Secret {
	return func(g Gomega) *corev1.Secret {
		secret := &corev1.Secret{}
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)).To(Succeed())
		return secret
	}
}

// registrationsOf lists the registrations of a kind that a provider is given.
func registrationsOf(p *v1alpha1.OIDCProvider, kind string) func(Gomega) []corev1.Secret {
	return func(g Gomega) []corev1.Secret {
		list := &corev1.SecretList{}
		g.Expect(k8s.List(ctx, list, client.InNamespace(p.Namespace), client.MatchingLabels{
			"oidc-operator.dev/provider": p.Name, "oidc-operator.dev/registration": kind,
		})).To(Succeed())
		return list.Items
	}
}

// replica is a real provider process.
type replica struct {
	process *exec.Cmd
	url     string
}

// startReplica starts the provider's program for p, as its pod would.
func startReplica(p *v1alpha1.OIDCProvider, name string) *replica {
	GinkgoHelper()
	address, admin := freeAddress(), freeAddress()
	cmd := exec.Command(providerBinary, "serve", "--issuer="+p.Spec.Issuer, "--provider-name="+p.Name, "--namespace="+p.Namespace,
		"--kubeconfig="+kubeconfig, "--data-dir="+GinkgoT().TempDir(), "--replica-name="+name, "--listen="+address, "--admin-listen="+admin)
	cmd.Stdout, cmd.Stderr = GinkgoWriter, GinkgoWriter
	Expect(cmd.Start()).To(Succeed())
	r := &replica{process: cmd, url: "http://" + address}
	DeferCleanup(r.stop)
	return r
}

// stop ends the process in an orderly way.
func (r *replica) stop() {
	if r.process.ProcessState != nil {
		return
	}
	_ = r.process.Process.Signal(os.Interrupt) // it may have ended by itself
	_ = r.process.Wait()
}

func freeAddress() string {
	GinkgoHelper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(l.Close()).To(Succeed()) }()
	return fmt.Sprintf("127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port)
}
