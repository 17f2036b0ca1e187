package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// documents are what discovery and JWKS answer for one set of keys.
type documents struct {
	set       *keys.Set
	discovery document
	jwks      document
}

// document is an answer whose every part is made beforehand, so that serving it costs hardly more than an empty handler.
type document struct {
	body        []byte
	etag        string
	etagHeader  []string
	length      []string
	contentType []string
}

// cacheable is for how long a relying party may keep a document without asking. A new key is published long before it signs.
var cacheable = []string{"public, max-age=300"}

func newDocument(body []byte, contentType string) document {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	return document{
		body: body, etag: etag, etagHeader: []string{etag}, length: []string{strconv.Itoa(len(body))}, contentType: []string{contentType},
	}
}

// currentDocuments returns the documents of the present keys, building them when the keys have changed.
func (p *Provider) currentDocuments() (*documents, error) {
	set := p.registry.Keys()
	if current := p.documents.Load(); current != nil && current.set == set {
		return current, nil
	}
	if len(set.Algorithms()) == 0 {
		return nil, errNoKey
	}
	metadata, err := json.Marshal(oidc.NewMetadata(p.issuer, set.Algorithms(), p.pages.Locales()))
	if err != nil {
		return nil, fmt.Errorf("marshal discovery document: %w", err)
	}
	fresh := &documents{
		set:       set,
		discovery: newDocument(metadata, "application/json"),
		jwks:      newDocument(set.JWKS(), "application/json"),
	}
	p.documents.Store(fresh)
	return fresh, nil
}

// serveDiscovery answers with the provider's metadata (OpenID Connect Discovery section 4).
func (p *Provider) serveDiscovery(w http.ResponseWriter, r *http.Request) error {
	current, err := p.currentDocuments()
	if err != nil {
		return err
	}
	current.discovery.serve(w, r)
	return nil
}

// serveJWKS answers with the public keys (RFC 7517 section 5).
func (p *Provider) serveJWKS(w http.ResponseWriter, r *http.Request) error {
	current, err := p.currentDocuments()
	if err != nil {
		return err
	}
	current.jwks.serve(w, r)
	return nil
}

func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["Cache-Control"] = cacheable
	header["Etag"] = d.etagHeader
	if match := r.Header.Get("If-None-Match"); match != "" && etagMatches(match, d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header["Content-Type"] = d.contentType
	header["Content-Length"] = d.length
	_, _ = w.Write(d.body) // an error means that nobody is there any more
}

// etagMatches compares weakly, as RFC 9110 section 13.1.2 asks for If-None-Match.
func etagMatches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
			return true
		}
	}
	return false
}
