package provider

import (
	"net/http"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// challenges returns the WWW-Authenticate values of a protected resource: how an access token can be sent (RFC 6750 section
// 3, RFC 9449 section 7.1). The error, if there is one, stands with the scheme that was used.
func challenges(r *http.Request, issuer string, e *errorAnswer) []string {
	bearer := `Bearer realm="` + issuer + `"`
	dpop := `DPoP realm="` + issuer + `", algs="` + strings.Join(registration.Algorithms(), " ") + `"`
	if e == nil {
		return []string{bearer, dpop}
	}
	fault := `, error="` + e.Error + `", error_description="` + e.Description + `"`
	if e.Error == oidc.CodeInsufficientScope {
		fault += `, scope="` + oidc.ScopeOpenID + `"`
	}
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, schemeDPoP) {
		return []string{dpop + fault}
	}
	return []string{bearer + fault, dpop}
}
