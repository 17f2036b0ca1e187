package controllers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// newAPIServer starts an API server with the CRDs and nothing that reconciles.
func newAPIServer(t *testing.T) client.WithWatch {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; run the tests with: make test")
	}
	cluster := &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true}
	config, err := cluster.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	config.QPS = -1
	scheme, err := NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	direct, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return direct
}

// story is something that happens to a client secret.
type story struct {
	options []func(*v1alpha1.OIDCClient)
	// before is done before the OIDCClient is there for the first time, begin is what the story is about.
	before func(*rig)
	begin  func(*rig)
	// keeps tells that the client secret stays the same, atOnce that the old one ends at once.
	keeps, atOnce bool
}

const handmade = "4f1c9a7e2b8d6035-9e7a1c3b5d2f8046"

func stories() map[string]story {
	withExisting := func(c *v1alpha1.OIDCClient) {
		c.Spec.Credentials.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: "mine"}
	}
	return map[string]story{
		"rotated on request": {begin: func(r *rig) { r.annotate("1") }},
		"rotated by interval": {
			options: []func(*v1alpha1.OIDCClient){func(c *v1alpha1.OIDCClient) {
				c.Spec.Credentials.Rotation.Interval = &metav1.Duration{Duration: 100 * time.Hour}
			}},
			begin: func(r *rig) { r.now = r.now.Add(100 * time.Hour) },
		},
		"rotated without overlap": {
			atOnce: true,
			options: []func(*v1alpha1.OIDCClient){func(c *v1alpha1.OIDCClient) {
				c.Spec.Credentials.Rotation.Overlap = &metav1.Duration{}
			}},
			begin: func(r *rig) { r.annotate("1") },
		},
		"rotated with a restart": {
			options: []func(*v1alpha1.OIDCClient){func(c *v1alpha1.OIDCClient) {
				c.Spec.Credentials.RolloutRestart = []v1alpha1.Workload{{Kind: "Deployment", Name: "app"}}
			}},
			before: func(r *rig) { r.must(r.mirror.Create(r.t.Context(), deployment(r.apps, "app"))) },
			begin:  func(r *rig) { r.annotate("1") },
		},
		"brought, and changed": {
			options: []func(*v1alpha1.OIDCClient){withExisting},
			before: func(r *rig) {
				r.must(r.mirror.Create(r.t.Context(), gen.Secret(r.apps, "mine", map[string]string{"client_secret": "0123456789abcdef0123456789abcdef"}, gen.AllowingClient("app"))))
			},
			begin: func(r *rig) { r.edit("mine", handmade) },
		},
		"Secret deleted": {begin: func(r *rig) {
			r.must(r.mirror.Delete(r.t.Context(), r.appSecret()))
			r.look()
		}},
		"Secret edited": {begin: func(r *rig) {
			r.pardoned[handmade] = true
			r.edit("app-oidc", handmade)
			r.look()
		}},
		"Secret spoilt": {begin: func(r *rig) {
			r.pardoned["weak"] = true
			r.edit("app-oidc", "weak")
			r.look()
		}},
		"registration deleted": {keeps: true, begin: func(r *rig) {
			_, secret := r.registered()
			r.must(r.mirror.Delete(r.t.Context(), secret))
		}},
		"renamed key": {keeps: true, begin: func(r *rig) {
			c := r.client()
			c.Spec.Credentials.Keys.ClientID = "ID"
			r.must(r.mirror.Update(r.t.Context(), c))
		}},
	}
}

func (r *rig) annotate(value string) {
	r.t.Helper()
	c := r.client()
	c.Annotations = map[string]string{v1alpha1.AnnotationRotate: value}
	r.must(r.mirror.Update(r.t.Context(), c))
}

func (r *rig) edit(name, value string) {
	r.t.Helper()
	secret := &corev1.Secret{}
	r.must(r.mirror.Get(r.t.Context(), client.ObjectKey{Namespace: r.apps, Name: name}, secret))
	secret.Data["client_secret"] = []byte(value)
	r.must(r.mirror.Update(r.t.Context(), secret))
}

func deployment(namespace, name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app"}}},
			},
		},
	}
}

// tell runs a story with a fault at one of its writes, and returns how it has ended and how many writes it took.
func tell(t *testing.T, direct client.WithWatch, s story, faultAt int, f fault, lag bool) (end string, writes int) {
	t.Helper()
	r := newRig(t, direct, s.options...)
	if s.before != nil {
		s.before(r)
	}
	r.settle()
	first := string(r.appSecret().Data["client_secret"])
	r.writes, r.faultAt, r.fault, r.armed, r.lag = 0, faultAt, f, true, lag
	r.seen = nil
	s.begin(r)
	r.settle()
	midway, _ := r.registered()
	lasts := midway != nil && r.accepts(midway, first)
	r.pass(r.client().Overlap() + time.Second)
	writes = r.writes

	secret, c := r.appSecret(), r.client()
	value := string(secret.Data["client_secret"])
	document, _ := r.registered()
	if (value == first) != s.keeps {
		t.Fatalf("kept its client secret: %v", value == first)
	}
	if !s.keeps && lasts == s.atOnce {
		t.Fatal("the old client secret did not last for the overlap")
	}
	if len(document.Secrets) != 1 || !r.accepts(document, value) || document.Secrets[0].ID != c.Status.Credentials.CurrentSecretID {
		t.Fatalf("ends with %+v registered, %+v in status", document.Secrets, c.Status.Credentials)
	}
	r.armed = false
	r.startOperator()
	if before := r.writes; r.settle() >= 0 && r.writes != before {
		t.Fatalf("a restart writes %d times", r.writes-before)
	}
	s0 := document.Secrets[0]
	end = fmt.Sprintf("pending %v, ends %v, argon2id %v, handled %q, restarted %v, previous %v, rotated %v, ready %v",
		s0.Pending, !s0.NotAfter.IsZero(), strings.HasPrefix(s0.Hash, "$"), secret.Annotations[annotationHandled],
		secret.Annotations[annotationRestarted] == s0.ID, c.Status.Credentials.Previous, c.Status.Credentials.RotatedAt != nil, ready(c))
	if len(c.Spec.Credentials.RolloutRestart) > 0 {
		d := deployment(r.apps, "app")
		r.must(r.mirror.Get(t.Context(), client.ObjectKeyFromObject(d), d))
		end += fmt.Sprintf(", template for the current %v, generation %d", d.Spec.Template.Annotations[annotationRestartedFor] == "app/"+s0.ID, d.Generation)
	}
	return end, writes
}

func ready(c *v1alpha1.OIDCClient) string {
	for _, condition := range c.Status.Conditions {
		if condition.Type == v1alpha1.ConditionReady {
			return string(condition.Status) + " " + condition.Reason
		}
	}
	return "unknown"
}

// Whatever happens to any write of whatever changes a client secret: at every moment the provider accepts each client secret that the
// application may hold, and the end is the same as if nothing had happened.
func TestClientSecretSurvivesFaults(t *testing.T) {
	direct := newAPIServer(t)
	for name, s := range stories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, writes := tell(t, direct, s, 0, noFault, false)
			t.Logf("%d writes; %s", writes, want)
			if got, _ := tell(t, direct, s, 0, noFault, true); got != want {
				t.Errorf("with a cache that lags it ends with\n%s\nand without with\n%s", got, want)
			}
			// What differs for the operator: the write was done or not, and its memory is lost or not. One story meets them all.
			faults := []fault{stopAfter, timeoutNotDone}
			if name == "rotated on request" {
				faults = append(faults, stopBefore, timeoutDone, conflict, tooManyRequests)
			}
			for at := 1; at <= writes; at++ {
				for _, f := range faults {
					t.Run(fmt.Sprintf("%s at write %d", f, at), func(t *testing.T) {
						t.Parallel() // in namespaces of its own
						if got, _ := tell(t, direct, s, at, f, at%2 == 0); got != want {
							t.Errorf("ends with\n%s\nand without a fault with\n%s", got, want)
						}
					})
				}
			}
		})
	}
}
