package provider

import "net/http"

var closeConnection = []string{"close"}

// endConnection makes this answer the last one on its connection where another must not follow.
//
// A request with Transfer-Encoding may have had a Content-Length, too, which net/http takes away. Where a proxy before the
// provider has believed that one, what it takes for the rest of the body would be read here as the next request, and perhaps
// be answered to somebody else (RFC 9112 sections 6.1 and 11.2).
//
// While the provider drains, clients and proxies open their next connection elsewhere. Otherwise they could send a request
// just when this side closes the connection, and would not know what has become of it.
func (p *Provider) endConnection(w http.ResponseWriter, r *http.Request) {
	if len(r.TransferEncoding) > 0 || p.draining.Load() {
		w.Header()["Connection"] = closeConnection
	}
}
