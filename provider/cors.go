package provider

import (
	"net/http"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// crossOrigin tells whether the scripts of any website may call a route and read its answer. They may where applications
// that live in a browser do: those routes look at no cookie, so that a script gets there no more than anybody else. Pages
// are not among them, nor introspection, which is for resource servers, nor the exchange of package synologysso, whose
// applications are told apart by their origins.
func (rt route) crossOrigin() bool {
	return rt.audience != forPeople && rt.audience != forSynology && rt.pattern != oidc.PathIntrospection
}

var (
	anyOrigin      = []string{"*"}
	exposedHeaders = []string{"WWW-Authenticate, X-Request-Id"}
	requestHeaders = []string{"Authorization, Content-Type, DPoP"}
	// preflightAge is how many seconds a browser need not ask again. Some ask sooner all the same.
	preflightAge = []string{"7200"}
)

// servePreflight answers what a browser asks before it sends a script's request (the CORS protocol of the Fetch standard).
func servePreflight(w http.ResponseWriter, rt route) error {
	header := w.Header()
	header["Access-Control-Allow-Methods"] = []string{rt.methods()}
	header["Access-Control-Allow-Headers"] = requestHeaders
	header["Access-Control-Max-Age"] = preflightAge
	w.WriteHeader(http.StatusNoContent)
	return nil
}
