package controllers

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// registeredClaims translates the claims of a spec.
func registeredClaims(claims []v1alpha1.ClientClaim) []registration.Claim {
	var registered []registration.Claim
	for _, c := range claims {
		registered = append(registered, registration.Claim{Name: c.Name, Expression: c.Expression, Examples: registeredExamples(c.Examples)})
	}
	return registered
}

func registeredExamples(examples []v1alpha1.ExpressionExample) []registration.Example {
	var registered []registration.Example
	for _, e := range examples {
		example := registration.Example{User: rawJSON(e.User), Expected: rawJSON(e.Expected)}
		if e.Now != nil {
			example.Now = e.Now.Time
		}
		registered = append(registered, example)
	}
	return registered
}

func rawJSON(value *runtime.RawExtension) json.RawMessage {
	if value == nil {
		return nil
	}
	return value.Raw
}

func registeredContacts(contact string) []string {
	if contact == "" {
		return nil
	}
	return []string{contact}
}
