package provider

import (
	"fmt"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// subjectOf returns the "sub" by which a client knows a person (OpenID Connect Core sections 5.1 and 8). The error is an
// *oidc.Error that says what is missing.
func (p *Provider) subjectOf(client *registration.Client, user *registration.User) (string, error) {
	switch client.SubjectMode {
	case registration.SubjectPairwise:
		salt := p.registry.Settings().PairwiseSalt
		if salt == "" {
			return "", &oidc.Error{Code: oidc.CodeServerError, Description: "pairwise subjects need a pairwise_salt in the settings"}
		}
		return oidc.PairwiseSubject(salt, client.Sector(), user.Subject), nil
	case registration.SubjectUsername:
		return user.Username, nil
	case registration.SubjectEmail:
		if user.Email == "" {
			return "", &oidc.Error{Code: oidc.CodeAccessDenied, Description: fmt.Sprintf("client %s knows people by their e-mail address, and this person has none", client.ClientID)}
		}
		return user.Email, nil
	case registration.SubjectUserUUID:
		return oidc.SubjectUUID(p.issuer, user.Subject), nil
	default:
		return user.Subject, nil
	}
}
