package presets

import (
	"net/url"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// logoutURL is where an application sends people to end their login session at the provider (OpenID Connect RP-Initiated
// Logout section 2). The client ID tells whose they are where the application sends no ID token.
func logoutURL(issued Issued, returnTo string) string {
	query := url.Values{"client_id": {issued.Client.ClientID()}, "post_logout_redirect_uri": {returnTo}}
	return oidc.Endpoint(issued.Issuer, oidc.PathLogout) + "?" + query.Encode()
}
