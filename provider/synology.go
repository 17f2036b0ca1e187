package provider

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
)

// The paths of Synology SSO Server's protocol.
const (
	pathSynologyScript   = registration.SynologyPath + "/synoSSO-" + synologysso.ScriptVersion + ".js"
	pathSynologyLogin    = registration.SynologyPath + "/SSOOauth.cgi"
	pathSynologyExchange = registration.SynologyPath + "/SSOAccessToken.cgi"
)

func (p *Provider) synologyRoutes() []route {
	return []route{
		{pathSynologyScript, forPeople, serveSynologyScript(), nil, nil},
		{pathSynologyLogin, forPeople, p.serveSynologyLogin, p.form(p.serveSynologyPost), nil},
		{pathSynologyExchange, forSynology, p.serveExchange, nil, nil},
	}
}

// routeSynology mounts the protocol below the issuer's path and, because applications are given no more than a host and know the
// rest by heart, at the root of the host, too. While the settings do not ask for it these paths are like any that do not exist.
func (p *Provider) routeSynology(mount func(pattern string, served http.Handler)) {
	hidden := p.serve(route{pattern: "other", get: serveNotFound, post: serveNotFound})
	for _, rt := range p.synologyRoutes() {
		served := p.serve(rt)
		chosen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !p.registry.Settings().SynologySSO.Enabled {
				hidden.ServeHTTP(w, r)
				return
			}
			served.ServeHTTP(w, r)
		})
		mount(p.base+rt.pattern, chosen)
		if p.base != "" {
			mount(rt.pattern, chosen)
		}
	}
}

// serveSynologyScript makes the handler of the script. Its name never changes, so that browsers ask now and then for a newer one.
func serveSynologyScript() handler {
	script := synologysso.Script()
	sum := sha256.Sum256(script)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return func(w http.ResponseWriter, r *http.Request) error {
		header := w.Header()
		header.Set("Cache-Control", "public, max-age=3600")
		header.Set("ETag", etag)
		header.Set("Cross-Origin-Resource-Policy", "cross-origin") // pages that isolate themselves load it, too
		if match := r.Header.Get("If-None-Match"); match != "" && etagMatches(match, etag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		header.Set("Content-Type", "text/javascript; charset=utf-8")
		header.Set("Content-Length", strconv.Itoa(len(script)))
		_, _ = w.Write(script) // an error means that nobody is there any more
		return nil
	}
}

// synologyRequest is a request whose application and redirect URI are proven.
type synologyRequest struct {
	*synologysso.Request
	// client is nil while the application is not known.
	client *registration.Client
}

// synologyError is a fault that an application, or the person in front of it, is told in the protocol's words.
type synologyError struct {
	cause   error
	request *synologyRequest
}

// Error returns the cause.
func (e *synologyError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *synologyError) Unwrap() error { return e.cause }

func (s *synologyRequest) fail(cause error) error {
	return &synologyError{cause: cause, request: s}
}

// readSynology reads the request in a query and proves it.
func (p *Provider) readSynology(r *http.Request) (*synologyRequest, error) {
	params, malformed, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	return p.proveSynology(params, malformed)
}

// proveSynology proves what a request says. The application is looked for even when something is wrong already: it decides whose
// page may be told of that in a frame.
func (p *Provider) proveSynology(params oidc.Parameters, malformed bool) (*synologyRequest, error) {
	request, fault := synologysso.ReadRequest(params, malformed)
	s := &synologyRequest{Request: request}
	if client, known := p.registry.ClientByAppID(request.AppID); known {
		s.client = client
	}
	if err := request.For(s.client); fault == nil {
		fault = err
	}
	if fault == nil {
		fault = request.CheckDirectory(p.registry.Settings().SynologySSO)
	}
	if fault != nil {
		return nil, s.fail(fault)
	}
	return s, nil
}

// maxSynologyReturn is how long a request is at most that travels through the login page, when every one of its parameters is as long
// as it may be and escaped throughout.
const maxSynologyReturn = 8 << 10

// here returns the request's own URL below the issuer's path.
func (s *synologyRequest) here() string { return pathSynologyLogin + "?" + s.Encode() }

// purpose is what the token of a form about this request is for.
func (s *synologyRequest) purpose() string { return s.here() }

// synologyClientOf returns the application to which a login leads that goes on at a path of ours, see returnsHere, or nil.
func (p *Provider) synologyClientOf(to string) *registration.Client {
	query, leads := strings.CutPrefix(to, pathSynologyLogin+"?")
	if !leads || !p.registry.Settings().SynologySSO.Enabled {
		return nil
	}
	params, malformed := oidc.ReadParameters(query)
	s, err := p.proveSynology(params, malformed)
	if err != nil {
		return nil
	}
	return s.client
}

// askSynologyLogin leads to the login page, and from there back to the request.
func (p *Provider) askSynologyLogin(w http.ResponseWriter, s *synologyRequest) error {
	return p.askLogin(w, s.here())
}
