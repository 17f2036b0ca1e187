package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"
)

// cookies knows how this issuer's cookies are named and set. The names end in a digest of the issuer, so that two
// providers on one host (two paths, two ports) do not overwrite each other's.
type cookies struct {
	session string
	form    string
	known   string
	secure  bool
}

func newCookies(issuer *url.URL) cookies {
	sum := sha256.Sum256([]byte(issuer.String()))
	suffix := hex.EncodeToString(sum[:4])
	c := cookies{session: "oidc-session-" + suffix, form: "oidc-form-" + suffix, known: "oidc-known-" + suffix, secure: issuer.Scheme == "https"}
	if c.secure {
		// The browser refuses a __Host- cookie from another host, a sibling domain or plain http: none can plant one here.
		c.session, c.form, c.known = "__Host-"+c.session, "__Host-"+c.form, "__Host-"+c.known
	}
	return c
}

// set makes a cookie that lasts until the browser is closed; how long it is good for is decided by what is stored.
func (c cookies) set(w http.ResponseWriter, name, value string) { c.keep(w, name, value, 0) }

// keep makes a cookie that lasts for some time, also when the browser is closed.
func (c cookies) keep(w http.ResponseWriter, name, value string, lifetime time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure on https; http is served on loopback only, where such a cookie would be dropped
		Name: name, Value: value, Path: "/", MaxAge: int(lifetime / time.Second), Secure: c.secure, HttpOnly: true,
		// Lax and not Strict: the browser comes from the application, which is another site.
		SameSite: http.SameSiteLaxMode,
	})
}

func (c cookies) clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // as in set
		Name: name, Path: "/", MaxAge: -1, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// maxCookieValue bounds what is hashed and looked up: our own values have 43 characters.
const maxCookieValue = 64

// value returns the value of a cookie, or "" when there is none that could be ours.
func (c cookies) value(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil || len(cookie.Value) > maxCookieValue {
		return ""
	}
	return cookie.Value
}
