package synologysso

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Scope is the only one that there is.
const Scope = "user_id"

// The parameters of a request.
const (
	paramAppID    = "app_id"
	paramRedirect = "redirect_uri"
	paramScope    = "scope"
	paramState    = "state"
	paramScript   = "synossoJSSDK"
	paramQuery    = "synossoJSSDKQuery"
	paramFrame    = "inframe_id"
	paramMethod   = "method"
	paramDomain   = "domain_name"
	paramBaseDN   = "ldap_baseDN"
)

func parameters() []string {
	return []string{
		paramAppID, paramRedirect, paramScope, paramState, paramScript, paramQuery, paramFrame, paramMethod, paramDomain, paramBaseDN,
	}
}

// Bounds of the parameters that no registration bounds, in bytes. The whole request travels through the login page.
const (
	maxState = 512
	maxFrame = 128
)

// Kind is what a request wants.
type Kind int

// The kinds of request.
const (
	// Manual: an application sends the browser here, which goes back with a token in the fragment.
	Manual Kind = iota
	// Query: the script asks in a hidden frame whether somebody is logged in.
	Query
	// Login: the script opens a window for somebody to log in.
	Login
	// Logout: the script ends the login here, in a hidden frame or a window.
	Logout
)

// Request is one to SSOOauth.cgi.
type Request struct {
	Kind               Kind
	AppID, RedirectURI string
	// State comes back as it is. Frame is the name that the script has given to the frame; nothing is done with it.
	State, Frame string
	// DomainName and LDAPBaseDN name the directory on which the application insists; empty: it does not.
	DomainName, LDAPBaseDN string

	// script tells that the answer goes to the script.
	script bool
	// app is the application, and proven tells that RedirectURI is one of its own, see For.
	app    *registration.SynologySSOClient
	proven bool
}

// FromScript tells whether the answer goes to the script, as a message.
func (r *Request) FromScript() bool { return r.script }

// ReadRequest reads a request. What could be read is returned with a fault, too, so that the fault can be told to whoever asks.
func ReadRequest(params oidc.Parameters, malformed bool) (*Request, error) {
	r := &Request{
		AppID: strings.ToLower(params.Get(paramAppID)), RedirectURI: params.Get(paramRedirect), Frame: params.Get(paramFrame),
		DomainName: params.Get(paramDomain), LDAPBaseDN: params.Get(paramBaseDN),
		script: strings.EqualFold(params.Get(paramScript), "true"),
	}
	if state := params.Get(paramState); len(state) <= maxState {
		r.State = state
	}
	kind, err := readKind(params)
	if err != nil {
		return r, err
	}
	r.Kind = kind
	if repeated := params.Repeated(parameters()...); repeated != "" {
		return r, fault(ParameterError, "%s stands there more than once", repeated)
	}
	switch {
	case malformed:
		return r, fault(ParameterError, "the query is not well-formed application/x-www-form-urlencoded")
	case r.AppID == "":
		return r, fault(ParameterError, "app_id is missing")
	case r.RedirectURI == "":
		return r, fault(ParameterError, "redirect_uri is missing")
	case params.Get(paramScope) != Scope:
		return r, fault(ParameterError, "scope must be %s", Scope)
	case len(params.Get(paramState)) > maxState:
		return r, fault(ParameterError, "state must not be longer than %d bytes", maxState)
	case len(r.Frame) > maxFrame:
		return r, fault(ParameterError, "inframe_id must not be longer than %d bytes", maxFrame)
	case len(r.DomainName) > registration.MaxSynologyDomain:
		return r, fault(ParameterError, "domain_name must not be longer than %d bytes", registration.MaxSynologyDomain)
	case len(r.LDAPBaseDN) > registration.MaxSynologyBaseDN:
		return r, fault(ParameterError, "ldap_baseDN must not be longer than %d bytes", registration.MaxSynologyBaseDN)
	case !appIDPattern.MatchString(r.AppID):
		return r, fault(InvalidAppID, "app_id must be 32 hexadecimal digits")
	case len(r.RedirectURI) > registration.MaxSynologyRedirectURI:
		return r, fault(InvalidRedirectURI, "redirect_uri is longer than any that can be registered")
	}
	return r, nil
}

var appIDPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

func readKind(params oidc.Parameters) (Kind, error) {
	script, errScript := readFlag(params, paramScript)
	query, errQuery := readFlag(params, paramQuery)
	method := params.Get(paramMethod)
	switch {
	case errScript != nil:
		return Manual, errScript
	case params.Get(paramScript) == "":
		return Manual, fault(ParameterError, "synossoJSSDK must be true or false")
	case errQuery != nil:
		return Manual, errQuery
	case method != "" && method != "logout":
		return Manual, fault(ParameterError, "method must be logout, or left out")
	case !script && (query || method != ""):
		return Manual, fault(ParameterError, "synossoJSSDKQuery and method are for synossoJSSDK=true")
	case method != "":
		return Logout, nil
	case query:
		return Query, nil
	case script:
		return Login, nil
	}
	return Manual, nil
}

// readFlag reads true or false, in any case. The empty value is false.
func readFlag(params oidc.Parameters, name string) (bool, error) {
	switch value := params.Get(name); {
	case strings.EqualFold(value, "true"):
		return true, nil
	case value == "", strings.EqualFold(value, "false"):
		return false, nil
	}
	return false, fault(ParameterError, "%s must be true or false", name)
}

// For proves that a request is one of a client. client is nil when none has the app_id.
func (r *Request) For(client *registration.Client) error {
	if client != nil {
		r.app = client.SynologySSO
	}
	if r.app == nil || client.Disabled {
		return fault(InvalidAppID, "no application has this app_id, or it is switched off")
	}
	if !slices.Contains(r.app.RedirectURIs, r.RedirectURI) {
		return fault(InvalidRedirectURI, "redirect_uri is not one of those that are registered for the application, to the letter")
	}
	r.proven = true
	return nil
}

// Origins returns the origins whose pages may frame the answer: those of the application's redirect URIs.
func (r *Request) Origins() []string {
	if r.app == nil {
		return nil
	}
	return Origins(r.app)
}

// Origins returns the origins of an application's redirect URIs, each once.
func Origins(app *registration.SynologySSOClient) []string {
	var origins []string
	for _, uri := range app.RedirectURIs {
		if origin := originOf(uri); origin != "" && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// defaultPorts are left out of an origin, as browsers do.
var defaultPorts = map[string]string{"https": "443", "http": "80"}

// originOf returns the origin of a URI as a browser writes it, or "".
func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if port, ok := defaultPorts[u.Scheme]; ok {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host
}

// Encode returns the request as a query, in one certain order and without what nobody asks for.
func (r *Request) Encode() string {
	values := url.Values{paramScript: {"false"}, paramScope: {Scope}}
	for name, value := range map[string]string{
		paramAppID: r.AppID, paramRedirect: r.RedirectURI, paramState: r.State, paramFrame: r.Frame,
		paramDomain: r.DomainName, paramBaseDN: r.LDAPBaseDN,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	switch r.Kind {
	case Logout:
		values.Set(paramMethod, "logout")
	case Query:
		values.Set(paramQuery, "true")
	}
	if r.script {
		values.Set(paramScript, "true")
	}
	return values.Encode()
}
