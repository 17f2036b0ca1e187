package synologysso

import "net/url"

// fragment is what an answer says: the part of a URL behind its #. Parameters come in pairs; those with an empty value are left out.
func fragment(pairs ...string) string {
	out := ""
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if out != "" {
			out += "&"
		}
		out += pairs[i] + "=" + url.QueryEscape(pairs[i+1])
	}
	return out
}

// ReturnURL returns where the browser goes after a login in the manual flow.
func (r *Request) ReturnURL(token string) string {
	return r.RedirectURI + "#" + fragment("access_token", token, "state", r.State)
}

// FaultURL returns where the browser goes in the manual flow when a person gives up on a login.
func (r *Request) FaultURL(status Status) string {
	return r.RedirectURI + "#" + fragment("status", string(status), "state", r.State)
}

// Message returns what the script is told. Before the redirect URI is proven it is not repeated.
func (r *Request) Message(status Status, token string) string {
	uri := ""
	if r.proven {
		uri = r.RedirectURI
	}
	return uri + "#" + fragment("status", string(status), "access_token", token, "state", r.State)
}

// Target returns the origin of the only page that may read the message. Before the redirect URI is proven that is any page: the
// message tells of a fault then, and of nothing that its reader has not sent.
func (r *Request) Target() string {
	if !r.proven {
		return "*"
	}
	return originOf(r.RedirectURI)
}
