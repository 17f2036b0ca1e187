package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	oidcv1alpha1 "github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// What config/default and config/samples call things.
var (
	operatorDeployment = types.NamespacedName{Namespace: "oidc-operator-system", Name: "oidc-operator"}
	sampleProvider     = types.NamespacedName{Namespace: "sso", Name: "sso"}
	sampleClient       = types.NamespacedName{Namespace: "demo-app", Name: "demo"}
	sampleUser         = types.NamespacedName{Namespace: "sso", Name: "ada"}
)

// The ports that the issuer and the redirect URI of config/samples fix.
const (
	providerPort = 8080
	appPort      = 8090
)

var (
	controlPlane = []string{"etcd", "kube-apiserver"}
	programs     = []string{"operator", "provider", "demo-app"}
)

// demo is one start of it.
type demo struct {
	dir         string // .demo, absolute
	assets      string
	showSecrets bool
	start       time.Time

	processes *processes
	config    *rest.Config
	client    client.Client
}

func (d *demo) say(format string, args ...any) {
	fmt.Printf("[%5.1f s] %s\n", time.Since(d.start).Seconds(), fmt.Sprintf(format, args...))
}

// up brings everything up. If it cannot, it stops what it has started.
func up(ctx context.Context, d *demo) (err error) {
	unlock, err := lock(d.dir)
	if err != nil {
		return err
	}
	defer unlock()
	if d.processes, err = newProcesses(d.dir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.processes.stopStarted())
		}
	}()
	// The programs start anew every time, because they may have been rebuilt.
	for _, name := range programs {
		if err := d.processes.stop(name); err != nil {
			return err
		}
	}
	if err := errors.Join(claimable(providerPort, "the provider"), claimable(appPort, "the sample application")); err != nil {
		return err
	}
	if d.config, err = d.startControlPlane(ctx); err != nil {
		return err
	}
	if d.client, err = newClient(d.config); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{d.install, d.startOperator, d.startProvider, d.startApp} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return d.report(ctx)
}

func newClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), oidcv1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// install does what a user does: kubectl apply -k config/default. No Deployment
// controller runs here, so that the operator's Deployment stays a description,
// which startOperator then follows.
func (d *demo) install(ctx context.Context) error {
	if err := d.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", "config/default"); err != nil {
		return err
	}
	if err := d.kubectl(ctx, "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"); err != nil {
		return err
	}
	d.say("custom resources and roles are installed (config/default)")
	return nil
}

func (d *demo) kubectl(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, d.asset("kubectl"), append([]string{"--kubeconfig", d.kubeconfig()}, args...)...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	log := d.processes.logFile("kubectl")
	if err := os.WriteFile(log, out, 0o600); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("kubectl %s: %s; see %s", strings.Join(args, " "), lines[len(lines)-1], relative(log))
}

func (d *demo) startOperator(ctx context.Context) error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	operator, err := d.runDeployment(ctx, "operator", operatorDeployment, map[string]string{
		"metrics-bind-address":      fmt.Sprintf("127.0.0.1:%d", ports[0]),
		"health-probe-bind-address": fmt.Sprintf("127.0.0.1:%d", ports[1]),
		"leader-election-namespace": operatorDeployment.Namespace, // which a pod knows by itself
	})
	if err != nil {
		return err
	}
	if err := d.processes.waitFor(ctx, "the operator", time.Minute, operator, ok(ports[1])); err != nil {
		return err
	}
	d.say("bin/operator runs, as ServiceAccount of %s", operatorDeployment)

	if err := d.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", "config/samples"); err != nil {
		return err
	}
	err = d.processes.waitFor(ctx, "the Deployment of OIDCProvider "+sampleProvider.String(), time.Minute, operator, func(ctx context.Context) error {
		return d.client.Get(ctx, sampleProvider, &appsv1.Deployment{})
	})
	if err != nil {
		return err
	}
	d.say("config/samples is applied; the operator has made the provider's Deployment")
	return nil
}

func (d *demo) startProvider(ctx context.Context) error {
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	data := filepath.Join(d.dir, "provider-data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	provider, err := d.runDeployment(ctx, "provider", sampleProvider, map[string]string{
		"listen":       fmt.Sprintf("127.0.0.1:%d", providerPort),
		"admin-listen": fmt.Sprintf("127.0.0.1:%d", ports[0]),
		"data-dir":     data,
	})
	if err != nil {
		return err
	}
	if err := d.processes.waitFor(ctx, "the provider", time.Minute, provider, ok(ports[0])); err != nil {
		return err
	}
	d.say("bin/provider serves, as ServiceAccount of its Deployment")

	for _, wanted := range []struct {
		object client.Object
		key    types.NamespacedName
	}{
		{&oidcv1alpha1.OIDCUser{}, sampleUser},
		{&oidcv1alpha1.OIDCClient{}, sampleClient},
	} {
		kind := strings.TrimPrefix(fmt.Sprintf("%T", wanted.object), "*v1alpha1.")
		err := d.processes.waitFor(ctx, kind+" "+wanted.key.String(), time.Minute, provider, func(ctx context.Context) error {
			if err := d.client.Get(ctx, wanted.key, wanted.object); err != nil {
				return err
			}
			return isReady(wanted.object)
		})
		if err != nil {
			return err
		}
		d.say("%s %s is Ready", kind, wanted.key)
	}
	return nil
}

// runDeployment starts the program of a Deployment's container, as the pod's
// ServiceAccount.
func (d *demo) runDeployment(ctx context.Context, name string, key types.NamespacedName, override map[string]string) (*process, error) {
	var deployment appsv1.Deployment
	if err := d.client.Get(ctx, key, &deployment); err != nil {
		return nil, fmt.Errorf("get Deployment %s: %w", key, err)
	}
	pod := deployment.Spec.Template.Spec
	kubeconfig, err := d.writeTokenKubeconfig(ctx, name, types.NamespacedName{Namespace: key.Namespace, Name: pod.ServiceAccountName})
	if err != nil {
		return nil, err
	}
	override["kubeconfig"] = kubeconfig
	program, args, env := containerCommand(pod, key.Namespace, key.Name+"-demo", override)
	return d.processes.launch(name, env, filepath.Join("bin", program), args...)
}

// isReady is nil for a resource that is Ready, and that is said of its current spec.
func isReady(object client.Object) error {
	var conditions []metav1.Condition
	switch o := object.(type) {
	case *oidcv1alpha1.OIDCUser:
		conditions = o.Status.Conditions
	case *oidcv1alpha1.OIDCClient:
		conditions = o.Status.Conditions
	}
	c := meta.FindStatusCondition(conditions, oidcv1alpha1.ConditionReady)
	switch {
	case c == nil || c.ObservedGeneration != object.GetGeneration():
		return errors.New("the operator has not looked at it yet")
	case c.Status != metav1.ConditionTrue:
		return fmt.Errorf("%s: %s", c.Reason, c.Message)
	}
	return nil
}

// ok asks a program's /readyz.
func ok(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", port), nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			reason, _ := io.ReadAll(io.LimitReader(response.Body, 500)) // the status alone says enough
			return fmt.Errorf("/readyz answers %d: %s", response.StatusCode, bytes.TrimSpace(reason))
		}
		return nil
	}
}

// credentialsSecret is the Secret that the operator keeps for the sample client.
func (d *demo) credentialsSecret(ctx context.Context) (*corev1.Secret, error) {
	var oidcClient oidcv1alpha1.OIDCClient
	if err := d.client.Get(ctx, sampleClient, &oidcClient); err != nil {
		return nil, fmt.Errorf("get OIDCClient %s: %w", sampleClient, err)
	}
	key := types.NamespacedName{Namespace: sampleClient.Namespace, Name: oidcClient.Status.Credentials.SecretName}
	var secret corev1.Secret
	if err := d.client.Get(ctx, key, &secret); err != nil {
		return nil, fmt.Errorf("get secret %s: %w", key, err)
	}
	return &secret, nil
}
