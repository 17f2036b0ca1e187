package controllers

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
)

// judgeTLS decides ConditionTLSReady of an OIDCProvider with spec.tls. The certificate must be valid for the issuer's host, or for a name of
// the Service, by which a proxy before the provider may reach it. It returns when the certificate expires, or zero.
func judgeTLS(p *v1alpha1.OIDCProvider, certificate, key referent, now time.Time) (v verdict, expires time.Time) {
	name := p.TLSSecretName()
	kept := "; pods that run are left as they are until then"
	if !certificate.found {
		return wait(v1alpha1.ReasonTLSSecretNotFound, fmt.Sprintf(
			"Secret %q of spec.tls.secretName does not exist in namespace %q; create it or correct the field%s", name, p.Namespace, kept)), time.Time{}
	}
	if len(certificate.value) == 0 || len(key.value) == 0 {
		return stall(v1alpha1.ReasonTLSSecretInvalid, fmt.Sprintf(
			"Secret %q of spec.tls.secretName has nothing under tls.crt or tls.key; put a certificate and its private key there%s", name, kept)), time.Time{}
	}
	pair, err := tls.X509KeyPair(certificate.value, key.value)
	if err != nil {
		return stall(v1alpha1.ReasonTLSSecretInvalid, fmt.Sprintf(
			"Secret %q of spec.tls.secretName holds no certificate with its private key: %s%s", name, strings.TrimPrefix(brief(err.Error()), "tls: "), kept)), time.Time{}
	}
	leaf := pair.Leaf
	if leaf == nil { // only with GODEBUG=x509keypairleaf=0
		if leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return stall(v1alpha1.ReasonTLSSecretInvalid, fmt.Sprintf("Secret %q of spec.tls.secretName holds no certificate%s", name, kept)), time.Time{}
		}
	}
	if now.Before(leaf.NotBefore) {
		return wait(v1alpha1.ReasonTLSCertificateExpired, fmt.Sprintf(
			"the certificate in Secret %q is not valid before %s%s", name, leaf.NotBefore.UTC().Format(time.RFC3339), kept)), leaf.NotBefore
	}
	if now.After(leaf.NotAfter) {
		return stall(v1alpha1.ReasonTLSCertificateExpired, fmt.Sprintf(
			"the certificate in Secret %q has expired at %s; renew it%s", name, leaf.NotAfter.UTC().Format(time.RFC3339), kept)), time.Time{}
	}
	if host := issuerHost(p); !certifies(leaf, append(resources.ServiceNames(p), host)) {
		return stall(v1alpha1.ReasonTLSCertificateMismatch, fmt.Sprintf(
			"the certificate in Secret %q is for %s and not for the issuer's host %q; put one for that there%s", name, certified(leaf), host, kept)), time.Time{}
	}
	return accept(v1alpha1.ReasonTLSReady, fmt.Sprintf("Secret %q holds a certificate that is valid until %s", name, leaf.NotAfter.UTC().Format(time.RFC3339))), leaf.NotAfter
}

func issuerHost(p *v1alpha1.OIDCProvider) string {
	u, err := url.Parse(p.Spec.Issuer)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// certifies tells whether a certificate is for one of the hosts.
func certifies(leaf *x509.Certificate, hosts []string) bool {
	for _, host := range hosts {
		if host != "" && leaf.VerifyHostname(host) == nil {
			return true
		}
	}
	return false
}

// certified names what a certificate is for.
func certified(leaf *x509.Certificate) string {
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host"
	}
	return brief(strings.Join(names, ", "))
}
