package provider

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// render answers with a page. returnURI is where the page's form leads in the end, besides this provider; "" when nowhere.
func (p *Provider) render(w http.ResponseWriter, r *http.Request, status int, returnURI string, page web.Page) error {
	body, err := p.pages.Render(page, p.base, web.ReadLanguages(r.Header.Get("Accept-Language")))
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Content-Security-Policy", contentSecurityPolicy(returnURI, logoOf(page)))
	header.Set("Cache-Control", "no-store")
	// The query of a page is an authorization request, which is nobody else's business. Not no-referrer: with that, browsers
	// hide the origin of a posted form from this provider, too.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that nobody is there any more
	return nil
}

// contentSecurityPolicy allows a page nothing but its style sheet, its icon and the application's logo. Browsers apply
// form-action to the redirects after a form was sent, too, so that it holds where the person goes back to.
func contentSecurityPolicy(returnURI, logo string) string {
	images, forms := "'self'", "'self'"
	if logo != "" {
		images += " " + cspSource(logo)
	}
	if returnURI != "" {
		forms += " " + cspSource(returnURI)
	}
	return "default-src 'none'; style-src 'self'; img-src " + images + "; form-action " + forms + "; frame-ancestors 'none'; base-uri 'none'"
}

// cspSource returns the origin of a URI, or only its scheme where the grammar of a policy has no words for the host (an
// IPv6 address, a private-use scheme) or the host could end the directive.
func cspSource(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "'none'"
	}
	hosted := u.Scheme == "https" || u.Scheme == "http"
	plain := strings.IndexFunc(u.Host, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != ':'
	}) < 0
	if hosted && u.Host != "" && plain {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":"
}

func logoOf(page web.Page) string {
	switch page := page.(type) {
	case web.Login:
		return page.Application.Logo
	case web.Consent:
		return page.Application.Logo
	case web.ConfirmLogout:
		return page.Application.Logo
	default:
		return ""
	}
}

// applicationOf returns what a client tells of itself. A logo is shown only from https: the others would not load on an
// https page.
func applicationOf(c *registration.Client) web.Application {
	a := web.Application{
		Name: c.ClientName, Description: c.Description, Website: c.ClientURI, Policy: c.PolicyURI, Terms: c.TosURI,
	}
	if a.Name == "" {
		a.Name = c.ClientID
	}
	if strings.HasPrefix(c.LogoURI, "https://") {
		a.Logo = c.LogoURI
	}
	return a
}

// personOf returns the name by which a page addresses someone.
func personOf(u *registration.User) string {
	if u.Name != "" {
		return u.Name
	}
	return u.Username
}
