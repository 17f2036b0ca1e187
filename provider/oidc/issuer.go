package oidc

import (
	"errors"
	"net/url"
	"path"
	"strings"
)

// ParseIssuer returns the issuer as a URL when it may be one (OpenID Connect Discovery section 3): https with a host, no
// user info, query or fragment; http only on a loopback host. A path is allowed, and a trailing slash is kept: the issuer
// is an identifier that is used verbatim everywhere.
func ParseIssuer(issuer string) (*url.URL, error) {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("must be an absolute URL, such as https://id.example.com")
	case u.User != nil:
		return nil, errors.New("must not contain a user name or password")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "?"):
		return nil, errors.New("must not have a query; remove everything from the ? on")
	case u.Fragment != "" || strings.Contains(issuer, "#"):
		return nil, errors.New("must not have a fragment; remove everything from the # on")
	case u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())):
		return nil, errors.New("must use https; http is only for a loopback host (localhost, 127.0.0.1, [::1])")
	case u.Path != "" && strings.TrimSuffix(u.Path, "/") != strings.TrimSuffix(path.Clean(u.Path), "/"):
		// Servers and proxies on the way clean such paths, each in its own manner.
		return nil, errors.New("must not have empty, . or .. parts in its path")
	}
	return ParseURI(issuer)
}

// Endpoint returns the URL of a path below the issuer: Endpoint("https://a/b/", "/token") is "https://a/b/token".
func Endpoint(issuer, below string) string {
	return strings.TrimSuffix(issuer, "/") + below
}

// The paths of a provider's endpoints, below its issuer.
const (
	PathDiscovery           = "/.well-known/openid-configuration"
	PathServerMetadata      = "/.well-known/oauth-authorization-server"
	PathAuthorization       = "/oauth2/authorize"
	PathPushedRequest       = "/oauth2/par"
	PathDeviceAuthorization = "/oauth2/device_authorization"
	PathToken               = "/oauth2/token"
	PathIntrospection       = "/oauth2/introspect"
	PathRevocation          = "/oauth2/revoke"
	PathUserinfo            = "/oauth2/userinfo"
	PathJWKS                = "/oauth2/jwks"
	PathLogout              = "/oauth2/logout"
)
