package controllers_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// gate holds back what the operator is told of the OIDCClients while it is closed.
type gate struct {
	mu sync.Mutex
	// opened is nil while it is open, and closed when it opens.
	opened chan struct{}
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

func (g *gate) pass() {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened != nil {
		<-opened
	}
}

func (g *gate) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(req)
		if err == nil && strings.HasSuffix(req.URL.Path, "/oidcclients") && req.URL.Query().Get("watch") != "" {
			answer.Body = &gatedBody{answer.Body, g}
		}
		return answer, err
	})
}

type gatedBody struct {
	io.ReadCloser
	gate *gate
}

func (b *gatedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.gate.pass()
	return n, err
}

// Serial, because this operator is the only one while it runs.
var _ = Describe("An operator whose cache lags", Serial, func() {
	var watches *gate
	BeforeEach(func() {
		watches = &gate{}
		operateThrough(watches.around)
		DeferCleanup(watches.open) // before the operator is stopped
	})

	It("takes back in status what it does not see yet", func() {
		namespace := newNamespace(nil)
		provider := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
		startReplica(provider, "one")
		c := create(gen.OIDCClient(namespace, "app", provider, func(c *v1alpha1.OIDCClient) { c.Spec.IDTokenSignedResponseAlg = "EdDSA" }))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionServed, "False", v1alpha1.ReasonNoSigningKey, nil))
		ed := create(gen.SigningKey(namespace, "ed", "sso", func(k *v1alpha1.SigningKey) {
			k.Spec.Algorithm = "EdDSA"
			k.Spec.Import = &v1alpha1.KeyImport{SecretRef: v1alpha1.ImportSecretReference{Name: "pem", Key: "tls.key"}}
		}))
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionServed, "False", v1alpha1.ReasonAwaitingSigningKey, nil))
		settled()
		watches.close()
		_, private, err := ed25519.GenerateKey(nil)
		Expect(err).NotTo(HaveOccurred())
		encoded, err := x509.MarshalPKCS8PrivateKey(private)
		Expect(err).NotTo(HaveOccurred())
		create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "pem"}, Data: map[string][]byte{
			"tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}),
		}})
		Eventually(current(c)).Should(match.BeReady())
		Expect(k8s.Delete(ctx, ed)).To(Succeed())
		settled()
		watches.open()
		Eventually(current(c)).Should(match.HaveCondition(v1alpha1.ConditionServed, "False", v1alpha1.ReasonNoSigningKey, nil))
	})
})
