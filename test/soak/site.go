package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/pgtest"
	"github.com/oidc-operator/oidc-operator/test/program"
	"github.com/oidc-operator/oidc-operator/test/status"
)

const (
	providerNamespace = "sso"
	appNamespace      = "apps"
	callback          = "https://app.example.com/callback"
	loginPassword     = "correct horse battery staple"
	// people is how many users there are.
	people = 4
	// overlap is how long a client secret works after it was replaced; an application reads its own more often, see rereadAfter.
	overlap = 20 * time.Second
	// publishBefore is the shortest that there may be. It is not waited for, see ageKeys.
	publishBefore = 10 * time.Minute
)

// site is an API server, a database, the operator and two providers.
type site struct {
	ledger          *ledger
	root, dir       string
	env             *envtest.Environment
	postgres        *pgtest.Server
	client          client.Client
	kubeconfig, dsn string
	issuer          string
	service         *service

	operator       *process
	operatorProbes string
	providers      []*process
	// starts counts the starts of providers as pods, each of which has a name of its own, and names are those that run.
	starts int
	names  []string

	provider   *v1alpha1.OIDCProvider
	signingKey *v1alpha1.SigningKey
	web        *v1alpha1.OIDCClient
	machine    *v1alpha1.OIDCClient
}

// start brings everything up, until all of it is Ready.
func (s *site) start(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "oidc-soak-"); err != nil {
		return err
	}
	if err := build(ctx, s.root, s.dir); err != nil {
		return err
	}
	if s.postgres, err = pgtest.Open(); err != nil {
		return err
	}
	dsn, err := s.postgres.NewDatabase()
	if err != nil {
		return err
	}
	s.dsn = filepath.Join(s.dir, "dsn")
	if err := os.WriteFile(s.dsn, []byte(dsn), 0o600); err != nil {
		return err
	}
	if err := s.startAPIServer(); err != nil {
		return err
	}
	addresses, err := program.FreeAddresses(6)
	if err != nil {
		return err
	}
	s.issuer, s.operatorProbes = "http://"+addresses[0], addresses[1]
	s.service = &service{endpoints: []*endpoint{{address: addresses[2], admin: addresses[3]}, {address: addresses[4], admin: addresses[5]}}}
	if err := s.startOperator(ctx); err != nil {
		return err
	}
	s.providers, s.names = make([]*process, len(s.service.endpoints)), make([]string, len(s.service.endpoints))
	for i := range s.providers {
		if err := s.startProvider(i); err != nil {
			return err
		}
	}
	return s.create(ctx, dsn)
}

func (s *site) startAPIServer() error {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return errors.New("KUBEBUILDER_ASSETS is not set; run this with: make soak")
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	s.env = &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join(s.root, "config", "crd", "bases")}, ErrorIfCRDPathMissing: true}
	s.env.ControlPlaneStartTimeout = patience
	config, err := s.env.Start()
	if err != nil {
		return err
	}
	config.QPS = -1
	if s.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	return os.WriteFile(s.kubeconfig, s.env.KubeConfig, 0o600)
}

// create makes what people would write, and waits until it is Ready.
func (s *site) create(ctx context.Context, dsn string) error {
	s.provider = gen.OIDCProvider(providerNamespace, "sso", gen.WithIssuer(s.issuer), gen.WithPostgres("database"), func(p *v1alpha1.OIDCProvider) {
		p.Spec.Replicas = new(int32(2))
	})
	s.signingKey = gen.SigningKey(providerNamespace, "rs256", "sso", func(k *v1alpha1.SigningKey) {
		k.Spec.Algorithm = "RS256"
		k.Spec.Rotation.PublishBefore = &metav1.Duration{Duration: publishBefore}
	})
	rotation := v1alpha1.ClientSecretRotation{Overlap: &metav1.Duration{Duration: overlap}}
	s.web = gen.OIDCClient(appNamespace, "web", s.provider, gen.WithRedirectURIs(callback), gen.WithGrantTypes("authorization_code", "refresh_token"), func(c *v1alpha1.OIDCClient) {
		c.Spec.Scopes = []string{"openid", "profile", "email", "offline_access"}
		c.Spec.Consent, c.Spec.Credentials.Rotation = v1alpha1.ConsentNever, rotation
	})
	s.machine = gen.OIDCClient(appNamespace, "machine", s.provider, gen.WithRedirectURIs(), gen.WithGrantTypes("client_credentials"), func(c *v1alpha1.OIDCClient) {
		c.Spec.AccessTokenFormat, c.Spec.Credentials.Rotation = "JWT", rotation
	})
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: providerNamespace}}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: appNamespace}},
		gen.Secret(providerNamespace, "database", map[string]string{"uri": dsn}),
		gen.Secret(providerNamespace, "login", map[string]string{"password": loginPassword}),
		s.provider, s.signingKey, s.web, s.machine,
	}
	for i := range people {
		objects = append(objects, gen.OIDCUser(providerNamespace, person(i), "sso", gen.WithPasswordFrom("login", "password")))
	}
	for _, obj := range objects {
		if err := s.client.Create(ctx, obj); err != nil {
			return fmt.Errorf("create %T %s: %w", obj, obj.GetName(), err)
		}
	}
	for _, obj := range objects {
		if waited, ok := obj.(status.Conditioned); ok {
			if err := await(ctx, func() error { return status.Ready(ctx, s.client, waited) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// person is the username of the i-th user.
func person(i int) string { return fmt.Sprintf("person-%d", i%people) }

// startOperator starts the operator and waits until it says that it is ready.
func (s *site) startOperator(ctx context.Context) (err error) {
	s.operator, err = startProcess("operator", s.program("operator"), "--kubeconfig="+s.kubeconfig, "--provider-image=registry.example.com/soak",
		"--metrics-bind-address=0", "--health-probe-bind-address="+s.operatorProbes, "--log-level=error")
	if err != nil {
		return err
	}
	probes := &endpoint{admin: s.operatorProbes}
	return await(ctx, func() error {
		if !probes.answers(ctx) {
			return errors.New("the operator is not ready")
		}
		return nil
	})
}

// startProvider starts the i-th replica as a new pod.
func (s *site) startProvider(i int) error {
	s.starts++
	s.names[i] = fmt.Sprintf("replica-%d", s.starts)
	return s.runProvider(i)
}

// runProvider starts the program of the i-th replica.
func (s *site) runProvider(i int) (err error) {
	e, name := s.service.endpoints[i], s.names[i]
	s.providers[i], err = startProcess("provider "+name, s.program("provider"), "serve", "--issuer="+s.issuer, "--provider-name=sso", "--namespace="+providerNamespace,
		"--kubeconfig="+s.kubeconfig, "--postgres-dsn-file="+s.dsn, "--replica-name="+name, "--listen="+e.address, "--admin-listen="+e.admin,
		"--shutdown-delay=3s", "--log-level=error") // the delay is the default in a cluster
	return err
}

// stop ends everything. What the programs have said is told when something went wrong.
func (s *site) stop(failed bool, out io.Writer) error {
	var errs []error
	for _, p := range append([]*process{s.operator}, s.providers...) {
		if p == nil {
			continue
		}
		errs = append(errs, p.quit())
		if failed {
			say(out, "\n%s said last:\n%s", p.name, p.said.String())
		}
	}
	if s.env != nil {
		errs = append(errs, s.env.Stop())
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// callTimeout is how long a call may take before it has failed.
const callTimeout = 10 * time.Second

// httpClient returns a client of a pool of its own, as one pod or one browser has.
func (s *site) httpClient() *http.Client {
	return &http.Client{
		Transport: s.service.transport(), Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
