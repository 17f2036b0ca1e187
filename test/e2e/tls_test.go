//go:build e2e

package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// certificate returns a manifest of a Secret with a certificate for a host.
func certificate(t *testing.T, name, host string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return secret(name, string(corev1.SecretTypeTLS), map[string][]byte{
		"tls.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		"tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	})
}

// proxyLag is how long kube-proxy may take to send connections where the Service says. A caller tries again for so long.
const proxyLag = 2 * time.Second

// asServed calls the Service on a port that it has, as the port's name says: http or https. While it is switched there are both, and at every
// moment one of them has endpoints.
func (s *story) asServed() func() error {
	anew := s.service(false)
	once := func() error {
		found := &corev1.Service{}
		if err := k8s.Get(context.Background(), s.key("sso"), found); err != nil {
			return err
		}
		var errs []error
		for _, port := range found.Spec.Ports {
			service := *anew
			service.base = fmt.Sprintf("%s://sso.%s.svc.cluster.local:%d", port.Name, s.namespace, port.Port)
			err := service.expect(jwks, http.StatusOK)
			if err == nil {
				return nil
			}
			errs = append(errs, fmt.Errorf("port %s: %w", port.Name, err))
		}
		return errors.Join(errs...)
	}
	return func() (err error) {
		for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			if err = once(); err == nil || time.Since(begun) > proxyLag {
				return err
			}
		}
	}
}

// Whether the provider itself serves TLS can change while it is in use. A Secret that is missing or not for the issuer is told of, and
// what runs goes on.
func TestTLSSwitched(t *testing.T) {
	s := begin(t)
	s.database()
	spec := func(secret string) string {
		if secret == "" {
			return s.provider(onPostgres + "\nreplicas: 2")
		}
		return s.provider(onPostgres + "\nreplicas: 2\ntls: {secretName: " + secret + "}")
	}
	s.apply(spec(""), machine("app"), certificate(t, "good", s.host()), certificate(t, "other", "other.example.com"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	l := s.startLoad(5, s.asServed())

	for _, wrong := range []string{"missing", "other"} {
		s.apply(spec(wrong))
		s.within(patience, func() error {
			p := &v1alpha1.OIDCProvider{}
			ready := s.condition(p, "sso", v1alpha1.ConditionReady)
			if p.Status.ObservedGeneration < p.Generation {
				return errors.New("the operator has not seen the change")
			}
			return expectCondition(ready, metav1.ConditionFalse, wrong)
		})
	}
	s.apply(spec("good"))
	s.awaitRollout(2)
	s.apply(spec("missing"))
	s.within(patience, func() error {
		return expectCondition(s.condition(&v1alpha1.OIDCProvider{}, "sso", v1alpha1.ConditionReady), metav1.ConditionFalse, "missing")
	})
	s.apply(spec(""))
	s.awaitRollout(2)
	s.expectNoFailure(l)
}
