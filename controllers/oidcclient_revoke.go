package controllers

import (
	"fmt"
	"slices"
	"time"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// maxRevoked is how many revoked client secrets a registration remembers. They are remembered because the hash of a secret that somebody else keeps
// has a salt: without the hash that was registered, the same secret would be taken for another one.
const maxRevoked = 4

// revokedAt is the end of every revoked client secret: long ago by any clock, and the same in each reconcile.
func revokedAt() time.Time { return time.Unix(1, 0).UTC() }

// revocations are the client secrets that nobody shall trust any more.
type revocations struct {
	// named are the IDs in the annotation.
	named []string
	// secrets are those that are registered, or were. Their NotAfter is revokedAt.
	secrets []registration.ClientSecret
	// ends are the IDs of those that are registered without that end: they end now.
	ends []string
}

// revoke splits what is registered into what may go on and what is revoked. What was revoked once stays so when the annotation is gone.
func revoke(registered []registration.ClientSecret, named []string) ([]registration.ClientSecret, revocations) {
	var rest []registration.ClientSecret
	found := revocations{named: named}
	for _, s := range registered {
		was := s.NotAfter.Equal(revokedAt())
		if !was && !slices.Contains(named, s.ID) {
			rest = append(rest, s)
			continue
		}
		if !was {
			found.ends = append(found.ends, s.ID)
		}
		s.NotAfter, s.Pending = revokedAt(), false
		found.secrets = append(found.secrets, s)
	}
	return rest, found
}

// covers reports whether value is a revoked client secret.
func (r revocations) covers(value string, made *madeSecret) bool {
	return value != "" && (made.find(value, r.secrets) >= 0 || slices.Contains(r.named, registration.SecretID(registration.HashSecret(value))))
}

// remembered returns what is kept registered of revoked client secrets: those that stand where client secrets come from, and those that the annotation
// names.
func (r revocations) remembered(made *madeSecret, values ...string) []registration.ClientSecret {
	var first, then []registration.ClientSecret
	for i, s := range r.secrets {
		switch {
		case slices.ContainsFunc(values, func(value string) bool { return made.find(value, r.secrets[i:i+1]) == 0 }):
			first = append(first, s)
		case slices.Contains(r.named, s.ID):
			then = append(then, s)
		}
	}
	kept := append(first, then...)
	return kept[:min(len(kept), maxRevoked)]
}

// unknown returns a name in the annotation that is no client secret's, or "". Who revokes one is in a hurry, and must not take a slip for done.
func (r revocations) unknown(registered []registration.ClientSecret) string {
	for _, id := range r.named {
		is := func(s registration.ClientSecret) bool { return s.ID == id }
		if !slices.ContainsFunc(r.secrets, is) && !slices.ContainsFunc(registered, is) {
			return id
		}
	}
	return ""
}

// revokedExisting says that the Secret of existingSecretRef still holds a revoked client secret.
func revokedExisting(c *v1alpha1.OIDCClient) verdict {
	return stall(v1alpha1.ReasonClientSecretRevoked, fmt.Sprintf(
		"the client secret in Secret %q is revoked by annotation %s; put another one there", c.Spec.Credentials.ExistingSecretRef.Name, v1alpha1.AnnotationRevoke))
}
