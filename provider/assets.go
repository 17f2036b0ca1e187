package provider

import (
	"net/http"
	"strconv"
)

// serveAsset answers with a style sheet or icon. Its name changes with its content, so that a browser may keep it for good.
func (p *Provider) serveAsset(w http.ResponseWriter, r *http.Request) error {
	asset, ok := p.pages.Asset(r.PathValue("name"))
	if !ok {
		return serveNotFound(w, r)
	}
	header := w.Header()
	header.Set("Content-Type", asset.ContentType)
	header.Set("Content-Length", strconv.Itoa(len(asset.Content)))
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(asset.Content) // an error means that nobody is there any more
	return nil
}
