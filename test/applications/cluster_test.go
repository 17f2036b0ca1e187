package applications_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/program"
	"github.com/oidc-operator/oidc-operator/test/status"
)

const (
	providerNamespace = "sso"
	providerName      = "sso"
	// appNamespace is where the applications are.
	appNamespace = "apps"
)

// patience is how long something may take on a machine that is busy with others.
const patience = time.Minute

// cluster is an API server with operator and provider beside it.
type cluster struct {
	env       *envtest.Environment
	client    client.Client
	issuer    string
	provider  *v1alpha1.OIDCProvider
	processes []*process
	// authentication is the API server's AuthenticationConfiguration.
	authentication string
}

func startCluster(dir string) (c *cluster, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set; run the tests with: make test")
	}
	log.SetLogger(logr.Discard())
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	c = &cluster{env: &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true}}
	c.authentication = filepath.Join(dir, "authentication-config.json")
	if err := os.WriteFile(c.authentication, []byte(noIssuers), 0o600); err != nil {
		return nil, err
	}
	c.env.ControlPlane.GetAPIServer().Configure().Set("authentication-config", c.authentication)
	config, err := c.env.Start()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, c.stop())
		}
	}()
	if c.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, c.env.KubeConfig, 0o600); err != nil {
		return nil, err
	}
	addresses, err := program.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	c.issuer = "https://" + addresses[0]
	if err := c.create(); err != nil {
		return nil, err
	}
	operator := []string{"--kubeconfig=" + kubeconfig, "--provider-image=registry.example.com/test", "--metrics-bind-address=0", "--health-probe-bind-address=0", "--log-level=error"}
	if err := c.run(dir, "operator", operator...); err != nil {
		return nil, err
	}
	provider := []string{
		"serve", "--issuer=" + c.issuer, "--provider-name=" + providerName, "--namespace=" + providerNamespace, "--kubeconfig=" + kubeconfig,
		"--data-dir=" + filepath.Join(dir, "data"), "--replica-name=one", "--listen=" + addresses[0], "--admin-listen=" + addresses[1],
		"--tls-cert-file=" + shared.authority.certFile, "--tls-key-file=" + shared.authority.keyFile, "--log-level=error",
	}
	if err := c.run(dir, "provider", provider...); err != nil {
		return nil, err
	}
	return c, await(func() error { return status.Ready(context.Background(), c.client, c.provider) })
}

// create makes what all tests use. The signing key is made here, and not by the operator, so that a test can rotate it.
func (c *cluster) create() error {
	c.provider = gen.OIDCProvider(providerNamespace, providerName, gen.WithIssuer(c.issuer))
	for _, obj := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: providerNamespace}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: appNamespace}},
		c.provider,
		gen.SigningKey(providerNamespace, "rs256", providerName, func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "RS256" }),
	} {
		if err := c.client.Create(context.Background(), obj); err != nil {
			return fmt.Errorf("create %s: %w", obj.GetName(), err)
		}
	}
	return nil
}

func (c *cluster) run(dir, program string, args ...string) error {
	p, err := startProcess(nil, filepath.Join(dir, program), args...)
	if err == nil {
		c.processes = append(c.processes, p)
	}
	return err
}

// stop ends everything and returns what operator and provider have said.
func (c *cluster) stop() (said string) {
	for _, p := range c.processes {
		said += p.stop() + "\n"
	}
	if err := c.env.Stop(); err != nil {
		said += "stop the API server: " + err.Error()
	}
	return said
}

// apply creates resources and waits until each that has conditions is Ready. They are deleted when the test ends.
func (c *cluster) apply(t *testing.T, objs ...client.Object) {
	t.Helper()
	for _, obj := range objs {
		if err := c.client.Create(t.Context(), obj); err != nil {
			t.Fatalf("create %T %s: %v", obj, obj.GetName(), err)
		}
		t.Cleanup(func() {
			if err := client.IgnoreNotFound(c.client.Delete(context.Background(), obj)); err != nil {
				t.Errorf("delete %T %s: %v", obj, obj.GetName(), err)
			}
		})
	}
	for _, obj := range objs {
		if waited, ok := obj.(status.Conditioned); ok {
			eventually(t, func() error { return status.Ready(t.Context(), c.client, waited) })
		}
	}
}

// addPerson makes a user of the provider whose username is that of the test: lockouts and consents are theirs alone.
func (c *cluster) addPerson(t *testing.T, username string, options ...func(*v1alpha1.OIDCUser)) (password string) {
	t.Helper()
	const loginPassword = "correct horse battery staple"
	secret := gen.Secret(providerNamespace, username+"-login", map[string]string{"password": loginPassword})
	user := gen.OIDCUser(providerNamespace, username, providerName, append(options, gen.WithPasswordFrom(secret.Name, "password"))...)
	c.apply(t, secret, user)
	return loginPassword
}

// credentials returns what the application finds in its Secret.
func (c *cluster) credentials(t *testing.T, oidcClient *v1alpha1.OIDCClient) map[string][]byte {
	t.Helper()
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: oidcClient.Namespace, Name: oidcClient.Status.Credentials.SecretName}
	if err := c.client.Get(t.Context(), key, &secret); err != nil {
		t.Fatalf("get secret %s: %v", key, err)
	}
	return secret.Data
}

// await asks until there is no error any more, for as long as patience lasts.
func await(ask func() error) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if err = ask(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("after %s: %w", patience, err)
}

// eventually fails the test if there is still an error when patience is at its end.
func eventually(t *testing.T, ask func() error) {
	t.Helper()
	if err := await(ask); err != nil {
		t.Fatal(err)
	}
}
