package controllers

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// What looks like a hash becomes one or is refused, in a Secret of the user's and in a generated one alike. The condition says where
// it is and what works instead, and nothing of it.
func TestPasswordSecrets(t *testing.T) {
	const sha512 = "$6$rounds=2000$saltsalt$jPedHngBXcBEZfTb.sMfNkhJU2jnnd52RWqoTwTF2hQKzOTJNz7NW5Tjt60cGvcuCOn8wpECtbkFrKkf6APCY0"
	for name, c := range map[string]struct {
		value string
		hash  string // as registered; empty: of the password
		fault string
	}{
		"a password":         {value: "open sesame"},
		"a decomposed one":   {value: "Gru\u0308\u00dfe"},
		"SHA-512 crypt":      {value: sha512, hash: sha512},
		"a line at its end":  {value: sha512 + "\n", hash: sha512},
		"Apache's MD5":       {value: "$apr1$saltsalt$HIDXe7D36X22w1CH4M1cQ.", fault: "one of the kinds argon2id"},
		"a line of htpasswd": {value: "ada:" + sha512, fault: "whole line of htpasswd"},
		"an unknown kind":    {value: "$saltsalt$v=1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", fault: "one of the kinds argon2id"},
	} {
		for _, generated := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				u := gen.OIDCUser("sso", "ada", "sso", gen.WithPasswordFrom("secret", ""))
				if generated {
					if strings.HasSuffix(c.value, "\n") {
						t.Skip("a generated one has no line break at its end")
					}
					u.Spec.PasswordSecretRef = nil
				}
				secret := &corev1.Secret{
					ObjectMeta: metav1.ObjectMeta{Name: "secret", Namespace: "sso", Annotations: map[string]string{
						resources.AnnotationOwner: resources.Owner(kindUser, client.ObjectKeyFromObject(u)),
					}, Labels: map[string]string{resources.LabelManagedBy: resources.ManagedBy}},
					Type: resources.SecretTypeCredentials, Data: map[string][]byte{keyPassword: []byte(c.value)},
				}
				plan := planUser(u, userState{provider: gen.OIDCProvider("sso", "sso"), password: secret}, newPassword)
				if c.fault != "" {
					if plan.password.reason != v1alpha1.ReasonPasswordInvalid || plan.document != nil || plan.generated != nil {
						t.Fatalf("it is %+v", plan.password)
					}
					for _, want := range []string{c.fault, "yescrypt", `"password"`} {
						if !strings.Contains(plan.password.message, want) || strings.Contains(plan.password.message, "saltsalt") {
							t.Errorf("the message is %q, want %q", plan.password.message, want)
						}
					}
					return
				}
				hash := plan.hashFor("source")
				if c.hash != "" && hash != c.hash || c.hash == "" && !registration.CheckPassword(hash, registration.PreparePassword(c.value)) {
					t.Errorf("registered is %q", hash)
				}
				plan.hash = hash
				if again := plan.hashFor("another source"); again != hash {
					t.Errorf("the same password becomes another hash: %q", again)
				}
			})
		}
	}
}
