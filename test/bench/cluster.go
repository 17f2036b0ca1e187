package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/page"
	"github.com/oidc-operator/oidc-operator/test/status"
)

const (
	namespace     = "bench"
	callback      = "https://app.example.com/callback"
	benchPassword = "correct horse battery staple"
)

// site is an API server with operator and provider beside it.
type site struct {
	programs        *programs
	env             *envtest.Environment
	client          client.WithWatch
	kubeconfig, dir string
	operator        *process
	operatorMetrics string
	provider        *process
	issuer          string
	browser         *http.Client
	// admitted are the labels of the namespaces whose OIDCClients the provider takes; nil: all.
	admitted map[string]string
}

func benchCluster(ctx context.Context, programs *programs, clients int) (err error) {
	log.SetLogger(logr.Discard())
	s := &site{programs: programs}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.logIn(ctx); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if err := s.benchEach(ctx, "apply to first token", "app", clients, s.applyToToken); err != nil {
		return err
	}
	if err := s.awaitReady(ctx, gen.OIDCClient(namespace, fmt.Sprintf("app-%d", clients-1), gen.OIDCProvider(namespace, "sso"))); err != nil {
		return err
	}
	return s.benchRestart(ctx, clients)
}

// start brings up the API server, the operator and a provider that is Ready.
func (s *site) start(ctx context.Context) error {
	if err := s.startServer(); err != nil {
		return err
	}
	if err := s.startOperator(); err != nil {
		return err
	}
	return s.startProvider(ctx)
}

func (s *site) startServer() error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	s.env = &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("config", "crd", "bases")}, ErrorIfCRDPathMissing: true}
	config, err := s.env.Start()
	if err != nil {
		return err
	}
	config.QPS = -1
	if s.client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "oidc-bench-"); err != nil {
		return err
	}
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	return os.WriteFile(s.kubeconfig, s.env.KubeConfig, 0o600)
}

func (s *site) startProvider(ctx context.Context) error {
	listen, admin, err := freeAddresses()
	if err != nil {
		return err
	}
	s.issuer = "http://" + listen
	p := gen.OIDCProvider(namespace, "sso", gen.WithIssuer(s.issuer), func(p *v1alpha1.OIDCProvider) {
		if s.admitted != nil {
			p.Spec.AllowedClients.Namespaces = v1alpha1.AllowedNamespaces{
				From: v1alpha1.NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchLabels: s.admitted},
			}
		}
	})
	user := gen.OIDCUser(namespace, "ada", "sso", gen.WithPasswordFrom("ada-login", "password"))
	for _, obj := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: s.admitted}}, p,
		gen.SigningKey(namespace, "rs256", "sso", func(k *v1alpha1.SigningKey) { k.Spec.Algorithm = "RS256" }),
		gen.Secret(namespace, "ada-login", map[string]string{"password": benchPassword}), user,
	} {
		if err := s.client.Create(ctx, obj); err != nil {
			return err
		}
	}
	s.provider, err = s.programs.start(s.programs.provider, "serve", "--issuer="+s.issuer, "--provider-name=sso", "--namespace="+namespace,
		"--kubeconfig="+s.kubeconfig, "--data-dir="+filepath.Join(s.dir, "data"), "--replica-name=one", "--listen="+listen, "--admin-listen="+admin, "--log-level=error")
	if err != nil {
		return err
	}
	return errors.Join(s.awaitReady(ctx, p), s.awaitReady(ctx, user))
}

func (s *site) startOperator() error {
	metrics, probes, err := freeAddresses()
	if err != nil {
		return err
	}
	s.operatorMetrics = "http://" + metrics + "/metrics"
	s.operator, err = s.programs.start(s.programs.operator, "--kubeconfig="+s.kubeconfig, "--provider-image=bench", "--metrics-bind-address="+metrics,
		"--health-probe-bind-address="+probes, "--log-level=error")
	return err
}

func (s *site) stop() error {
	for _, p := range []*process{s.operator, s.provider} {
		if p != nil {
			p.stop()
		}
	}
	_ = os.RemoveAll(s.dir) // scratch
	return s.env.Stop()
}

func (s *site) awaitReady(ctx context.Context, obj status.Conditioned) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !meta.IsStatusConditionTrue(*obj.Conditions(), v1alpha1.ConditionReady) {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return fmt.Errorf("wait for %T %s to be Ready: %w", obj, obj.GetName(), err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// logIn leaves the browser with a session, as somebody has who uses another application already.
func (s *site) logIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	s.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	login := s.issuer + "/login"
	shown, err := s.send(ctx, http.MethodGet, login, nil)
	if err != nil {
		return err
	}
	form := page.HiddenFields(shown.body)
	form.Set("username", "ada")
	form.Set("password", benchPassword)
	answer, err := s.send(ctx, http.MethodPost, login, form)
	if err == nil && answer.status != http.StatusSeeOther {
		err = fmt.Errorf("status %d", answer.status)
	}
	return err
}

// benchEach measures, for one OIDCClient after another, how long it takes from its creation to something, and beside each the time of
// creating a plain Secret.
func (s *site) benchEach(ctx context.Context, what, prefix string, clients int, timed func(ctx context.Context, name string) (time.Duration, error)) error {
	var plain, whole []time.Duration
	for i := range clients {
		name := fmt.Sprintf("%s-%d", prefix, i)
		start := time.Now()
		if err := s.client.Create(ctx, gen.Secret(namespace, "plain-"+name, map[string]string{"client_secret": strings.Repeat("x", 32)})); err != nil {
			return err
		}
		plain = append(plain, time.Since(start))
		took, err := timed(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		whole = append(whole, took)
	}
	base := quantile(plain, 0.5)
	ratio := func(d time.Duration) float64 { return float64(d) / float64(base) }
	report(what+" / creating a Secret", "median %.1f, p99 %.1f   (%s and %s; a Secret takes %s; %d clients)",
		ratio(quantile(whole, 0.5)), ratio(quantile(whole, 0.99)), quantile(whole, 0.5).Round(100*time.Microsecond),
		quantile(whole, 0.99).Round(100*time.Microsecond), base.Round(10*time.Microsecond), clients)
	return nil
}

func (s *site) applyToToken(ctx context.Context, name string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	secrets, err := s.client.Watch(ctx, &corev1.SecretList{}, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name + "-oidc"})
	if err != nil {
		return 0, err
	}
	defer secrets.Stop()
	c := gen.OIDCClient(namespace, name, gen.OIDCProvider(namespace, "sso"), gen.WithRedirectURIs(callback), func(c *v1alpha1.OIDCClient) {
		c.Spec.Consent = v1alpha1.ConsentNever
	})
	start := time.Now()
	if err := s.client.Create(ctx, c); err != nil {
		return 0, err
	}
	event, ok := <-secrets.ResultChan()
	secret, isSecret := event.Object.(*corev1.Secret)
	if !ok || !isSecret {
		return 0, errors.New("no credentials Secret appeared")
	}
	for ctx.Err() == nil {
		done, err := s.token(ctx, secret)
		if err != nil || done {
			return time.Since(start), err
		}
		time.Sleep(500 * time.Microsecond)
	}
	return 0, errors.New("no token within 30 seconds")
}

// token goes through the code flow with the credentials. It is false while the provider does not know the client yet.
func (s *site) token(ctx context.Context, secret *corev1.Secret) (bool, error) {
	query := url.Values{"client_id": {string(secret.Data["client_id"])}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}}
	answer, err := s.send(ctx, http.MethodGet, string(secret.Data["authorization_endpoint"])+"?"+query.Encode(), nil)
	if err != nil || answer.status == http.StatusBadRequest {
		return false, err
	}
	code := answer.location.Query().Get("code")
	if code == "" {
		return false, fmt.Errorf("no code: status %d", answer.status)
	}
	answer, err = s.send(ctx, http.MethodPost, string(secret.Data["token_endpoint"]), url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
		"client_id": {string(secret.Data["client_id"])}, "client_secret": {string(secret.Data["client_secret"])},
	})
	if err != nil || answer.status != http.StatusOK {
		return false, errors.Join(err, fmt.Errorf("token endpoint: status %d", answer.status))
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal(answer.body, &tokens); err != nil || tokens.IDToken == "" {
		return false, errors.New("no ID token")
	}
	return true, nil
}

// benchRestart starts the operator again and counts what it writes until it has looked at every OIDCClient, all of which are Ready.
func (s *site) benchRestart(ctx context.Context, clients int) error {
	time.Sleep(2 * time.Second) // the counts in the provider's status follow
	memory, err := s.operator.residentKiB()
	if err != nil {
		return err
	}
	s.operator.stop()
	start := time.Now()
	if err := s.startOperator(); err != nil {
		return err
	}
	for {
		metrics, err := s.metrics(ctx)
		if err == nil && metrics[`controller_runtime_reconcile_total{controller="oidcclient",result="success"}`] >= float64(clients) {
			break
		}
		if time.Since(start) > 3*time.Minute {
			return fmt.Errorf("operator has not looked at every client within three minutes: %w", err)
		}
		time.Sleep(200 * time.Millisecond) // to be asked costs the operator some milliseconds
	}
	took := time.Since(start)
	spent, err := s.operator.processorTime()
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // time to write, if it wanted to
	metrics, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	writes := 0.0
	for name, value := range metrics {
		if strings.HasPrefix(name, "rest_client_requests_total") && !strings.Contains(name, `method="GET"`) {
			writes += value
		}
	}
	report("operator restart, nothing changed", "%.0f writes, every client looked at after %s (%s of processor time)", writes, took.Round(10*time.Millisecond), spent)
	report("operator: resident memory", "%.0f MiB with %d clients before the restart", float64(memory)/1024, clients)
	return nil
}

func (s *site) metrics(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.operatorMetrics, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for line := range strings.SplitSeq(string(text), "\n") {
		if at := strings.LastIndexByte(line, ' '); at > 0 && !strings.HasPrefix(line, "#") {
			if value, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
				values[line[:at]] = value
			}
		}
	}
	return values, nil
}

// answer is an HTTP answer, read whole.
type answer struct {
	status   int
	location *url.URL
	body     []byte
}

func (s *site) send(ctx context.Context, method, target string, form url.Values) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := s.browser.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	location, err := response.Location()
	if err != nil {
		location = &url.URL{}
	}
	return answer{response.StatusCode, location, body}, nil
}
