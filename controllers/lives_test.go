package controllers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// wholeLife drives resources of all four kinds from beginning to end and keeps what Flux (kstatus) and Argo CD would have said of each after
// every single write.
type wholeLife struct {
	*rig
	argo argoCD
	// said is what was said since the last step, without repetition, by "Kind/name": kstatus/Argo CD.
	said map[string][]string
	// writes of the operator to each kind, to know that there was something to object to.
	written map[string]int
}

func newWholeLife(t *testing.T, direct client.WithWatch) *wholeLife {
	l := &wholeLife{
		rig:  newWorld(t, direct, kindProvider, kindSigningKey, kindClient, kindUser),
		argo: newArgoCD(t), said: map[string][]string{}, written: map[string]int{},
	}
	l.watch = l.note
	return l
}

// note keeps what is said of a resource as it stands, and holds against it what may never be said.
func (l *wholeLife) note(obj client.Object) {
	l.t.Helper()
	_, is := obj.(resource)
	if !is {
		return
	}
	gvk, err := apiutil.GVKForObject(obj, l.mirror.Scheme())
	l.must(err)
	content, err := toMap(obj)
	l.must(err)
	// As a client reads it from the API server: numbers are integers.
	metadata, _ := content["metadata"].(map[string]any)
	metadata["generation"] = obj.GetGeneration()
	observed := int64(0)
	if state, is := content["status"].(map[string]any); is {
		if number, is := state["observedGeneration"].(float64); is {
			observed = int64(number)
			state["observedGeneration"] = observed
		}
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	result, err := status.Compute(u)
	l.must(err)
	health, message := l.argo.health(l.t, gvk.Kind, content)
	name := gvk.Kind + "/" + obj.GetName()
	if observed != obj.GetGeneration() && (result.Status == status.CurrentStatus || health != "Progressing") {
		l.t.Errorf("%s of generation %d, of which %d was looked at, is %s and %s", name, obj.GetGeneration(), observed, result.Status, health)
	}
	if message == "" {
		l.t.Errorf("%s is %s without a message", name, health)
	}
	if l.operating {
		l.written[gvk.Kind]++
	}
	said := result.Status.String() + "/" + health
	if before := l.said[name]; len(before) == 0 || before[len(before)-1] != said {
		l.said[name] = append(before, said)
	}
}

// step changes something, lets the operator work, and compares what has been said of each resource meanwhile, the last at the end.
func (l *wholeLife) step(what string, change func(), want map[string]string) {
	l.t.Helper()
	l.said = map[string][]string{}
	change()
	l.settle()
	for name, sequence := range want {
		if got := strings.Join(l.said[name], " "); got != sequence {
			l.t.Errorf("%s: %s is said to be\n\t%s\nand should be\n\t%s", what, name, got, sequence)
		}
	}
	told := slices.Clone(l.seen)
	writes := l.writes
	l.startOperator()
	l.settle()
	l.settle()
	if l.writes != writes || len(l.seen) != len(told) {
		l.t.Errorf("%s: after a restart and more looks, with nothing changed, there are %d writes and the events %v more", what, l.writes-writes, l.seen[len(told):])
	}
}

func change[T client.Object](l *wholeLife, obj T, edit func(T)) {
	l.t.Helper()
	l.must(l.mirror.Get(l.t.Context(), client.ObjectKeyFromObject(obj), obj))
	edit(obj)
	l.must(l.mirror.Update(l.t.Context(), obj))
}

func (l *wholeLife) create(objects ...client.Object) {
	l.t.Helper()
	for _, obj := range objects {
		l.must(l.mirror.Create(l.t.Context(), obj))
	}
}

func (l *wholeLife) remove(objects ...client.Object) {
	l.t.Helper()
	for _, obj := range objects {
		l.must(l.mirror.Delete(l.t.Context(), obj))
	}
}

const (
	waitingSaid  = "InProgress/Progressing"
	currentSaid  = "Current/Healthy"
	brokenSaid   = "Failed/Degraded"
	becomesReady = waitingSaid + " " + currentSaid
)

// Whoever waits for a resource, by kstatus (Flux, kubectl, Helm) or by config/argocd, is told the truth about it at each moment of its life,
// and events are recorded when something changes and not again.
func TestLives(t *testing.T) {
	direct := newAPIServer(t)
	l := newWholeLife(t, direct)
	p := l.provider
	k := gen.SigningKey(l.namespace, "key", "sso")
	c := gen.OIDCClient(l.apps, "app", p)
	u := gen.OIDCUser(l.namespace, "ada", "sso")
	every := func(said string) map[string]string {
		return map[string]string{"OIDCProvider/sso": said, "SigningKey/key": said, "OIDCClient/app": said, "OIDCUser/ada": said}
	}

	l.step("without a provider", func() { l.create(k, c, u) }, map[string]string{
		"SigningKey/key": waitingSaid, "OIDCClient/app": waitingSaid, "OIDCUser/ada": waitingSaid,
	})
	l.step("the provider comes", func() { l.create(p) }, map[string]string{
		"OIDCProvider/sso": becomesReady, "SigningKey/key": currentSaid, "OIDCClient/app": becomesReady, "OIDCUser/ada": becomesReady,
	})
	l.step("changed", func() {
		change(l, p, func(p *v1alpha1.OIDCProvider) { p.Spec.Branding.Title = "SSO" })
		change(l, k, func(k *v1alpha1.SigningKey) {
			k.Spec.Rotation.RetainAfter = &metav1.Duration{Duration: 48 * time.Hour}
		})
		change(l, c, func(c *v1alpha1.OIDCClient) { c.Spec.DisplayName = "App" })
		change(l, u, func(u *v1alpha1.OIDCUser) { u.Spec.DisplayName = "Ada" })
	}, every(becomesReady))
	foreign := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: "sso"}, Spec: networkingv1.IngressSpec{
		DefaultBackend: &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "x", Port: networkingv1.ServiceBackendPort{Number: 80}}},
	}}
	imported := gen.SigningKey(l.namespace, "imported", "sso", func(k *v1alpha1.SigningKey) {
		k.Spec.Import = &v1alpha1.KeyImport{SecretRef: v1alpha1.ImportSecretReference{Name: "pem", Key: "tls.key"}}
	})
	broughtKey := gen.Secret(l.namespace, "pem", map[string]string{"tls.key": "this is no key"})
	l.step("broken, to be mended by editing something", func() {
		l.create(foreign, broughtKey, imported)
		change(l, p, func(p *v1alpha1.OIDCProvider) {
			p.Spec.Expose.Ingress = &v1alpha1.ExposeIngress{ClassName: "nginx"}
			p.Spec.AllowedClients.RedirectHosts = []string{"other.example.com"}
		})
		change(l, u, func(u *v1alpha1.OIDCUser) {
			u.Spec.PasswordSecretRef = &v1alpha1.SecretKeyReference{Name: "nothing"}
		})
	}, map[string]string{
		"OIDCProvider/sso": waitingSaid + " " + brokenSaid, "SigningKey/imported": waitingSaid + " " + brokenSaid,
		"OIDCClient/app": brokenSaid, "OIDCUser/ada": waitingSaid,
	})
	l.step("mended", func() {
		l.remove(foreign)
		change(l, p, func(p *v1alpha1.OIDCProvider) { p.Spec.AllowedClients.RedirectHosts = nil })
		change(l, broughtKey, func(s *corev1.Secret) { s.Data["tls.key"] = newPEM(t) })
		l.create(gen.Secret(l.namespace, "nothing", map[string]string{"password": "correct horse battery"}))
	}, map[string]string{
		"OIDCProvider/sso": becomesReady, "SigningKey/imported": currentSaid, "OIDCClient/app": becomesReady, "OIDCUser/ada": becomesReady,
	})
	l.step("switched off", func() {
		change(l, c, func(c *v1alpha1.OIDCClient) { c.Spec.Disabled = new(true) })
		change(l, u, func(u *v1alpha1.OIDCUser) { u.Spec.Disabled = new(true) })
	}, map[string]string{"OIDCClient/app": waitingSaid + " Current/Suspended", "OIDCUser/ada": waitingSaid + " Current/Suspended"})
	l.step("deleted, while somebody holds them back", func() {
		for _, obj := range []client.Object{c, u, k, p} {
			change(l, obj, func(obj client.Object) { obj.SetFinalizers([]string{"example.com/hold"}) })
		}
		l.remove(c, u, k, p)
	}, nil)
	for _, obj := range []client.Object{c, u, k, p} {
		l.said = map[string][]string{}
		l.must(direct.Get(t.Context(), client.ObjectKeyFromObject(obj), obj))
		l.note(obj)
		for name, said := range l.said {
			if fmt.Sprint(said) != "[Terminating/Progressing]" {
				t.Errorf("%s is said to be %v while it is deleted", name, said)
			}
		}
	}
	for _, kind := range l.kinds {
		if l.written[kind] < 3 {
			t.Errorf("of %s the operator has written %d times: too little to see what it leaves alone", kind, l.written[kind])
		}
	}
}

// newPEM returns a new P-256 key as cert-manager writes it.
func newPEM(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
