package provider

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// handler serves a request or returns an error for respondError. It must not have written anything when it returns one.
type handler func(w http.ResponseWriter, r *http.Request) error

// audience is who reads the answers of a route: it decides how an error looks.
type audience int

const (
	forPeople    audience = iota // pages
	forClients                   // JSON of RFC 6749 section 5.2
	forResources                 // JSON and challenge of RFC 6750 section 3
	forSynology                  // JSON of an exchange in the protocol of Synology SSO Server
)

// The paths of the pages, below the issuer's.
const (
	pathLogin         = "/login"
	pathConsent       = "/consent"
	pathConfirmLogout = "/logout"
	pathDevice        = "/device"
	pathHome          = "/"
	pathAssets        = "/assets/"
)

// route is one line of the route table.
type route struct {
	// pattern is a path of http.ServeMux below the issuer's path.
	pattern  string
	audience audience
	get      handler
	post     handler
	// document is what a route of discovery.go answers with; nil for the others.
	document func(*documents) *document
}

func (p *Provider) routeTable() []route {
	return []route{
		{oidc.PathDiscovery, forClients, p.serveDocument(discovery), nil, discovery},
		{oidc.PathServerMetadata, forClients, p.serveDocument(discovery), nil, discovery},
		{oidc.PathJWKS, forClients, p.serveDocument(jwks), nil, jwks},
		{oidc.PathAuthorization, forPeople, p.serveAuthorize, p.serveAuthorizePost, nil},
		{oidc.PathPushedRequest, forClients, nil, p.servePushedRequest, nil},
		{oidc.PathToken, forClients, nil, p.serveToken, nil},
		{oidc.PathDeviceAuthorization, forClients, nil, p.serveDeviceAuthorization, nil},
		{oidc.PathIntrospection, forClients, nil, p.serveIntrospection, nil},
		{oidc.PathRevocation, forClients, nil, p.serveRevocation, nil},
		{oidc.PathUserinfo, forResources, p.serveUserinfo, p.serveUserinfo, nil},
		{oidc.PathLogout, forPeople, p.serveLogout, p.serveLogoutPost, nil},
		{pathConfirmLogout, forPeople, nil, p.form(p.serveConfirmLogout), nil},
		{pathLogin, forPeople, p.serveLogin, p.form(p.serveLoginPost), nil},
		{pathConsent, forPeople, p.serveConsent, p.form(p.serveConsentPost), nil},
		{pathAccount, forPeople, p.own(pathAccount, p.serveAccount), nil, nil},
		{pathAccountSessions, forPeople, p.own(pathAccountSessions, p.serveSessions), p.ownForm(pathAccountSessions, p.serveSessionsPost), nil},
		{pathAccountApplications, forPeople, p.own(pathAccountApplications, p.serveApplications), p.ownForm(pathAccountApplications, p.serveApplicationsPost), nil},
		{pathAccountPassword, forPeople, p.own(pathAccountPassword, p.servePassword), p.ownForm(pathAccountPassword, p.servePasswordPost), nil},
		{pathBrandStyle, forPeople, p.serveBrandStyle, nil, nil},
		{pathLogo, forPeople, p.serveLogo, nil, nil},
		{pathDevice, forPeople, p.serveDevice, p.form(p.serveDevicePost), nil},
		{pathAssets + "{name}", forPeople, p.serveAsset, nil, nil},
		{pathHome + "{$}", forPeople, p.serveHome, nil, nil},
	}
}

func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	// Most requests name a route to the letter, and a map finds that quicker than the mux does.
	exact := map[string]http.Handler{}
	base, err := url.PathUnescape(p.base)
	if err != nil {
		base = p.base // it was parsed once, so that it can be decoded
	}
	for _, rt := range p.routeTable() {
		served := p.serve(rt)
		mux.Handle(p.base+rt.pattern, served)
		if rt.pattern == oidc.PathServerMetadata && p.base != "" {
			mux.Handle(rt.pattern+p.base, served) // RFC 8414 section 3.1 puts the issuer's path behind
		}
		if !strings.Contains(rt.pattern, "{") {
			exact[base+rt.pattern] = served
		}
	}
	p.routeSynology(func(pattern string, served http.Handler) { mux.Handle(pattern, served); exact[pattern] = served })
	other := p.serve(route{pattern: "other", get: serveNotFound, post: serveNotFound})
	mux.Handle("/", other)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.endConnection(w, r)
		if served, ok := exact[r.URL.Path]; ok {
			served.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !cleanPath(r.URL.Path) {
			// The mux would lead it to the clean path with 307, which repeats a form and all the secrets in it (RFC 9700 section 4.12).
			other.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// cleanPath tells whether a path has no empty, . or .. parts.
func cleanPath(of string) bool {
	return path.Clean(of) == of || path.Clean(of)+"/" == of
}

// serve wraps a route with what all of them have: a request ID, metrics, the method check, a recovered panic, the error answer.
func (p *Provider) serve(rt route) http.Handler {
	measured := p.metrics.route(strings.TrimSuffix(rt.pattern, "{$}"))
	crossOrigin := rt.crossOrigin()
	served := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := p.now()
		rec := &recorder{ResponseWriter: w}
		header := w.Header()
		id := p.requests.next()
		header["X-Request-Id"] = []string{id}
		header["X-Content-Type-Options"] = nosniff
		r, span := p.tracing.start(r, rt.pattern, id)
		if crossOrigin {
			header["Access-Control-Allow-Origin"] = anyOrigin
			header["Access-Control-Expose-Headers"] = exposedHeaders
		}
		defer func() {
			if fault := recover(); fault != nil {
				if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(fault)
				}
				p.recovered(rec, r, rt, fault)
			}
			took := p.now().Sub(started)
			measured.observe(rec.status, took)
			endSpan(span, rec.status)
			if p.logger.Enabled(r.Context(), slog.LevelDebug) { // without path and query, in which anything may stand
				p.logger.DebugContext(r.Context(), "request", "request_id", requestID(rec), "method", r.Method, "route", rt.pattern,
					"status", rec.status, "took", took)
			}
		}()
		r = p.withInfo(r, id)
		if err := p.dispatch(rec, r, rt); err != nil {
			p.respondError(rec, r, rt.audience, err)
		}
	})
	if rt.document != nil && p.tracing == nil {
		return p.shortcut(rt.document, measured, served)
	}
	return served
}

var nosniff = []string{"nosniff"}

func (p *Provider) dispatch(w http.ResponseWriter, r *http.Request, rt route) error {
	var h handler
	switch r.Method {
	case http.MethodHead:
		if !rt.getStores() {
			h = rt.get
		}
	case http.MethodGet:
		h = rt.get
	case http.MethodPost:
		h = rt.post
	case http.MethodOptions:
		if rt.crossOrigin() {
			return servePreflight(w, r, rt)
		}
	}
	switch {
	case h == nil:
		return methodNotAllowed(w, rt)
	case !p.synced() && rt.pattern != pathAssets+"{name}":
		return errStarting
	}
	return h(w, r)
}

func methodNotAllowed(w http.ResponseWriter, rt route) error {
	w.Header().Set("Allow", rt.methods())
	return &pageError{status: http.StatusMethodNotAllowed, text: "method"}
}

// methods returns those that a route has, as in the Allow header.
func (rt route) methods() string {
	switch {
	case rt.get == nil:
		return "POST"
	case rt.post == nil && rt.getStores():
		return "GET"
	case rt.post == nil:
		return "GET, HEAD"
	case rt.getStores():
		return "GET, POST"
	default:
		return "GET, HEAD, POST"
	}
}

// getStores tells whether GET changes what is stored, as the protocols want it: a code is issued, a session ends, a code that was typed is
// counted, a proof is used up. HEAD must be safe (RFC 9110 section 9.2.1), and is not allowed there, rather than to answer something
// else than GET would.
func (rt route) getStores() bool {
	return slices.Contains([]string{oidc.PathAuthorization, oidc.PathLogout, oidc.PathUserinfo, pathDevice, pathSynologyLogin, pathSynologyExchange}, rt.pattern)
}

func serveNotFound(http.ResponseWriter, *http.Request) error {
	return &pageError{status: http.StatusNotFound, text: "not_found"}
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (rec *recorder) Write(data []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return rec.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the connection.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
