package controllers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// Whoever waits for a resource, by kstatus (Flux, kubectl, Helm) or by config/argocd, is told the truth about it at each moment of its life,
// and events are recorded when something changes and not again.
func TestLives(t *testing.T) {
	direct := newAPIServer(t)
	for name, live := range map[string]func(*wholeLife){
		"all four together": liveTogether, "a provider": liveProvider, "signing keys": liveKeys, "clients": liveClients, "users": liveUsers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // in namespaces of its own
			live(newWholeLife(t, direct))
		})
	}
}

func liveTogether(l *wholeLife) {
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
		change(l, broughtKey, func(s *corev1.Secret) { s.Data["tls.key"] = newPEM(l.t) })
		l.create(gen.Secret(l.namespace, "nothing", map[string]string{"password": "correct horse battery"}))
	}, map[string]string{
		"OIDCProvider/sso": becomesReady, "SigningKey/imported": currentSaid, "OIDCClient/app": becomesReady, "OIDCUser/ada": becomesReady,
	})
	l.step("switched off", func() {
		change(l, c, func(c *v1alpha1.OIDCClient) { c.Spec.Disabled = new(true) })
		change(l, u, func(u *v1alpha1.OIDCUser) { u.Spec.Disabled = new(true) })
	}, map[string]string{"OIDCClient/app": waitingSaid + " Current/Suspended", "OIDCUser/ada": waitingSaid + " Current/Suspended"})
	all := []client.Object{c, u, k, imported, p}
	l.step("deleted, while somebody holds them back", func() {
		l.kept(all...)
		l.remove(all...)
	}, nil)
	l.released(all...)
	l.ended()
	for _, kind := range l.kinds {
		if l.written[kind] < 3 {
			l.t.Errorf("of %s the operator has written %d times: too little to see what it leaves alone", kind, l.written[kind])
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
