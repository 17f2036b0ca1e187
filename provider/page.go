package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// render answers with a page.
func (p *Provider) render(w http.ResponseWriter, r *http.Request, status int, page web.Page) error {
	body, err := p.pages.Render(page, web.View{Base: p.base, Where: p.host, Brand: p.brand(), Languages: languagesOf(r), Now: p.now()})
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Content-Security-Policy", contentSecurityPolicy(page))
	if len(ancestorsOf(page)) == 0 {
		header.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors (RFC 9700 section 4.16)
	}
	header.Set("Cache-Control", "no-store")
	// The query of a page is an authorization request, which is nobody else's business. Not no-referrer: with that, browsers
	// hide the origin of a posted form from this provider, too.
	header.Set("Referrer-Policy", "same-origin")
	offer, offers := page.(web.OfferReturn)
	if _, posts := page.(web.FormPost); posts || offers && offer.Action != "" {
		// The application may want to see where a form comes from. Its own URL is hidden all the same.
		header.Set("Referrer-Policy", "strict-origin")
	}
	header.Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // html/template has escaped it; an error means that nobody is there any more
	return nil
}

// contentSecurityPolicy allows a page nothing but its style sheet, its icon and the application's logo.
//
// A form that leads to an application has no form-action: browsers apply it to every redirect that follows, also to those
// that the application makes after its callback, to hosts and schemes that nobody here can know (a chat server that goes
// on to its web client, or to the desktop program). A policy that names the redirect URI alone breaks such logins.
func contentSecurityPolicy(page web.Page) string {
	logo, scripts, frames, forms := "", "", "", " form-action 'none';"
	switch page := page.(type) {
	case web.Login:
		logo, forms = page.Application.Logo, ""
		if page.Application.Name == "" {
			forms = " form-action 'self';"
		}
	case web.Consent:
		logo, forms = page.Application.Logo, ""
	case web.Denied:
		logo, forms = page.Application.Logo, ""
	case web.OfferReturn:
		logo = page.Application.Logo
		if page.Action != "" {
			forms = ""
		}
	case web.FormPost:
		scripts, forms = " script-src 'self';", ""
	case web.ConfirmLogout:
		logo, forms = page.Application.Logo, ""
	case web.FramedLogout:
		logo, scripts, forms = page.Application.Logo, " script-src 'self';", " form-action 'self';"
	case web.Message:
		scripts, frames = " script-src 'self';", frameSources(page.Frames)
	case web.LoggedOut:
		frames = frameSources(page.Frames)
		if page.Continue != "" {
			scripts = " script-src 'self';"
		}
	case web.DeviceConfirm:
		logo, forms = page.Application.Logo, " form-action 'self';"
	case web.DeviceCode:
		forms = " form-action 'self';"
	case web.Home, web.Account, web.Sessions, web.Applications, web.ChangePassword:
		forms = " form-action 'self';"
	}
	images := "'self'"
	if logo != "" {
		images += " " + cspSource(logo)
	}
	return "default-src 'none'; style-src 'self'; img-src " + images + ";" + scripts + frames + forms + " frame-ancestors " + frameAncestors(ancestorsOf(page)) + "; base-uri 'none'"
}

// ancestorsOf returns the origins whose pages may frame a page: none but for the answers to the script of package synologysso.
func ancestorsOf(page web.Page) []string {
	switch page := page.(type) {
	case web.FramedLogout:
		return page.Ancestors
	case web.Message:
		return page.Ancestors
	}
	return nil
}

// frameAncestors writes origins as the grammar of a policy has it. One for which it has no words, an IPv6 address, is left out:
// the scheme alone would let everybody in.
func frameAncestors(origins []string) string {
	var sources []string
	for _, origin := range origins {
		if source := cspSource(origin); strings.Contains(source, "//") {
			sources = append(sources, source)
		}
	}
	if len(sources) == 0 {
		return "'none'"
	}
	return strings.Join(sources, " ")
}

// frameSources allows a page the frames that it has, and no other site.
func frameSources(frames []string) string {
	if len(frames) == 0 {
		return ""
	}
	var sources []string
	for _, uri := range frames {
		if source := cspSource(uri); !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	return " frame-src " + strings.Join(sources, " ") + ";"
}

// cspSource returns the origin of a URL, or only the scheme where the grammar of a policy has no words for the host
// (an IPv6 address) or the host could end the directive.
func cspSource(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "'none'"
	}
	odd := strings.ContainsFunc(u.Host, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != ':'
	})
	if odd {
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
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
