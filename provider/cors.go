package provider

import (
	"net/http"
	"regexp"

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
	exposedHeaders = []string{"WWW-Authenticate, X-Request-Id, Retry-After"}
	requestHeaders = []string{"Authorization, Content-Type, DPoP"}
	varyByHeaders  = []string{"Access-Control-Request-Headers"}
	// preflightAge is how many seconds a browser need not ask again. Some ask sooner all the same.
	preflightAge = []string{"7200"}
)

// maxRequestHeaders bounds what of a preflight comes back, in bytes.
const maxRequestHeaders = 1024

// headerNames is a list of names of headers (RFC 9110 section 5.1).
var headerNames = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \\t]*,[ \\t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$")

// allowedHeaders allows the headers that a script asks for: the routes look at no cookie, so that a header gets a script no further than
// any other program. Not *, for which Authorization does not count and which older browsers do not know.
func allowedHeaders(asked []string) []string {
	if len(asked) != 1 || len(asked[0]) > maxRequestHeaders || !headerNames.MatchString(asked[0]) {
		return requestHeaders
	}
	return asked
}

// servePreflight answers what a browser asks before it sends a script's request (the CORS protocol of the Fetch standard).
func servePreflight(w http.ResponseWriter, r *http.Request, rt route) error {
	header := w.Header()
	header["Vary"] = varyByHeaders
	header["Access-Control-Allow-Methods"] = []string{rt.methods()}
	header["Access-Control-Allow-Headers"] = allowedHeaders(r.Header["Access-Control-Request-Headers"])
	header["Access-Control-Max-Age"] = preflightAge
	w.WriteHeader(http.StatusNoContent)
	return nil
}
