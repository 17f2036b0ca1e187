package provider

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/web"
)

// What the branding adds to the assets.
const (
	pathBrandStyle = pathAssets + "brand.css"
	pathLogo       = pathAssets + "logo"
)

// branded is a brand with the settings that it was made of.
type branded struct {
	from  registration.Branding
	brand *web.Brand
}

// brand returns how pages look now: as the settings say that are in force.
func (p *Provider) brand() *web.Brand {
	now := p.registry.Settings().Branding
	if known := p.branded.Load(); known != nil && sameBranding(known.from, now) {
		return known.brand
	}
	made := &branded{from: now, brand: p.pages.NewBrand(now.Title, now.AccentColor, now.Logo, now.LogoType)}
	p.branded.Store(made)
	return made.brand
}

// sameBranding tells whether two brandings are of the same settings. A logo is never changed in place, so that there is no need to
// compare what may be many kilobytes for every page.
func sameBranding(a, b registration.Branding) bool {
	if len(a.Logo) != len(b.Logo) || len(a.Logo) > 0 && &a.Logo[0] != &b.Logo[0] {
		return false
	}
	return a.Title == b.Title && a.AccentColor == b.AccentColor && a.LogoType == b.LogoType
}

// serveBrandStyle answers with the colors of the branding.
func (p *Provider) serveBrandStyle(w http.ResponseWriter, r *http.Request) error {
	brand := p.brand()
	return serveVersioned(w, r, brand.Style, brand.StyleVersion)
}

// serveLogo answers with the logo of the branding. It comes from whoever may change the settings, and an SVG may hold scripts: opened by
// itself, too, it runs none and loads nothing.
func (p *Provider) serveLogo(w http.ResponseWriter, r *http.Request) error {
	brand := p.brand()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	return serveVersioned(w, r, brand.Logo, brand.LogoVersion)
}

// serveVersioned answers with an asset that may change. Pages link to it with its version, by which a browser may keep it for good; a
// replica that does not have that version yet, or any more, answers with its own, to be asked for again.
func serveVersioned(w http.ResponseWriter, r *http.Request, asset web.Asset, version string) error {
	if version == "" {
		return serveNotFound(w, r)
	}
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	if r.URL.RawQuery == "v="+version {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	tag := `"` + version + `"`
	header.Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header.Set("Content-Type", asset.ContentType)
	header.Set("Content-Length", strconv.Itoa(len(asset.Content)))
	_, _ = w.Write(asset.Content) // an error means that nobody is there any more
	return nil
}
