package controllers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// certify returns a self-signed certificate and its private key in PEM.
func certify(t *testing.T, from, until time.Time, hosts ...string) (certificate, key referent) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until, DNSNames: hosts}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return referent{found: true, value: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})},
		referent{found: true, value: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})}
}

func TestJudgeTLS(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	certificate, key := certify(t, hour(-1), hour(1), "id.example.com")
	another, anotherKey := certify(t, hour(-1), hour(1), "other.example.com")
	wildcard, wildcardKey := certify(t, hour(-1), hour(1), "*.example.com")
	service, serviceKey := certify(t, hour(-1), hour(1), "sso.sso.svc")
	old, oldKey := certify(t, hour(-2), hour(-1), "id.example.com")
	early, earlyKey := certify(t, hour(1), hour(2), "id.example.com")
	nameless, namelessKey := certify(t, hour(-1), hour(1))
	found := func(text string) referent { return referent{found: true, value: []byte(text)} }
	for name, test := range map[string]struct {
		certificate, key referent
		reason           string
		outcome          outcome
		says             string
		again            time.Time
	}{
		"fits":                  {certificate, key, v1alpha1.ReasonTLSReady, done, "", hour(1)},
		"by a wildcard":         {wildcard, wildcardKey, v1alpha1.ReasonTLSReady, done, "", hour(1)},
		"for the Service":       {service, serviceKey, v1alpha1.ReasonTLSReady, done, "", hour(1)},
		"missing":               {referent{}, referent{}, v1alpha1.ReasonTLSSecretNotFound, waiting, `Secret "id-tls"`, time.Time{}},
		"no key":                {certificate, found(""), v1alpha1.ReasonTLSSecretInvalid, stalled, "tls.key", time.Time{}},
		"no PEM":                {found("hello"), key, v1alpha1.ReasonTLSSecretInvalid, stalled, "failed to find any PEM data", time.Time{}},
		"key of another":        {certificate, anotherKey, v1alpha1.ReasonTLSSecretInvalid, stalled, "private key does not match", time.Time{}},
		"for another host":      {another, anotherKey, v1alpha1.ReasonTLSCertificateMismatch, stalled, `for other.example.com and not for the issuer's host "id.example.com"`, time.Time{}},
		"for nobody":            {nameless, namelessKey, v1alpha1.ReasonTLSCertificateMismatch, stalled, "for no host", time.Time{}},
		"expired":               {old, oldKey, v1alpha1.ReasonTLSCertificateExpired, stalled, "has expired", time.Time{}},
		"not valid before long": {early, earlyKey, v1alpha1.ReasonTLSCertificateExpired, waiting, "not valid before", hour(1)},
	} {
		t.Run(name, func(t *testing.T) {
			p := gen.OIDCProvider("sso", "sso", gen.WithIssuer("https://id.example.com/realm"),
				func(p *v1alpha1.OIDCProvider) { p.Spec.TLS = &v1alpha1.ProviderTLS{SecretName: "id-tls"} })
			v, again := judgeTLS(p, test.certificate, test.key, now)
			if v.reason != test.reason || v.outcome != test.outcome || !strings.Contains(v.message, test.says) || !again.Equal(test.again) {
				t.Errorf("got %+v, again %v", v, again)
			}
			if strings.Contains(v.message, "PRIVATE") {
				t.Errorf("the message shows the key: %s", v.message)
			}
		})
	}
}
