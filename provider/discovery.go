package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// documents are what discovery and JWKS answer for one set of keys.
type documents struct {
	set *keys.Set
	// discovery is nil while nothing can be signed: a relying party that reads it keeps it for long.
	discovery *document
	jwks      *document
}

// document is an answer whose every part is made beforehand, so that serving it costs hardly more than an empty handler.
// Relying parties fetch it far more often than they log anybody in.
type document struct {
	body       []byte
	etag       string
	etagHeader []string
	// length is nil where net/http counts itself, which it does for bodies of less than 2 KiB, at less cost than a header.
	length []string
}

// cacheable is for how long a relying party may keep a document without asking. A new key is published for longer before it signs.
var cacheable = []string{"public, max-age=" + strconv.Itoa(int(registration.MaxJWKSAge/time.Second))}

func newDocument(body []byte) *document {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	d := &document{body: body, etag: etag, etagHeader: []string{etag}}
	if len(body) >= 2<<10 {
		d.length = []string{strconv.Itoa(len(body))}
	}
	return d
}

// currentDocuments returns the documents of the present keys, building them when the keys have changed.
func (p *Provider) currentDocuments() (*documents, error) {
	set := p.registry.Keys()
	if current := p.documents.Load(); current != nil && current.set == set {
		return current, nil
	}
	fresh := &documents{set: set, jwks: newDocument(set.JWKS())}
	if len(set.Algorithms()) == 0 {
		p.documents.Store(fresh)
		return fresh, nil
	}
	metadata, err := json.Marshal(oidc.NewMetadata(p.issuer, set.Algorithms(), registration.Algorithms(), p.pages.Locales()))
	if err != nil {
		return nil, fmt.Errorf("marshal discovery document: %w", err)
	}
	fresh.discovery = newDocument(metadata)
	p.documents.Store(fresh)
	return fresh, nil
}

// discovery picks the provider's metadata (OpenID Connect Discovery section 4).
func discovery(d *documents) *document { return d.discovery }

// jwks picks the public keys (RFC 7517 section 5).
func jwks(d *documents) *document { return d.jwks }

// serveDocument makes the handler of a document.
func (p *Provider) serveDocument(pick func(*documents) *document) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		current, err := p.currentDocuments()
		if err != nil {
			return err
		}
		document := pick(current)
		if document == nil {
			return errNoKey
		}
		document.serve(w, r)
		return nil
	}
}

// shortcut serves a document that is built already, with nothing around it but a counter: reading the clock would take as
// long as the rest. Everything else goes the long way, which also tells what is wrong.
func (p *Provider) shortcut(pick func(*documents) *document, measured *measuredRoute, longWay http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		current := p.documents.Load()
		if current == nil || pick(current) == nil || current.set != p.registry.Keys() || !p.synced() || r.Method != http.MethodGet {
			longWay.ServeHTTP(w, r)
			return
		}
		measured.count(pick(current).serve(w, r))
	})
}

// serve answers with the document, or with 304 when the relying party has it. It returns the status.
func (d *document) serve(w http.ResponseWriter, r *http.Request) int {
	header := w.Header()
	header["Cache-Control"] = cacheable
	header["Etag"] = d.etagHeader
	header["Access-Control-Allow-Origin"] = anyOrigin
	if match := r.Header["If-None-Match"]; len(match) > 0 && etagMatches(match[0], d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	header["Content-Type"] = jsonType
	if d.length != nil {
		header["Content-Length"] = d.length
	}
	_, _ = w.Write(d.body) // an error means that nobody is there any more
	return http.StatusOK
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
