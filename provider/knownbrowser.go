package provider

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// A browser keeps a mark of each of the last few people who have logged in there. It gives no access to anything: it only
// tells the attempts of the person from those of strangers. Nothing is stored for it. A mark is a random ID, sealed with a
// key made of the hash of the person's password, which nobody but the provider has; with another password all marks of the
// person are void, also those of whoever has come in with the old one.

const (
	// maxMarks is how many people a browser is known to.
	maxMarks = 5
	// markLifetime is how long a browser is known after a login.
	markLifetime = 180 * 24 * time.Hour
	// markIDBytes and markSealBytes are the parts of a mark.
	markIDBytes   = 16
	markSealBytes = 16
)

// markLength is how many characters a mark has.
var markLength = base64.RawURLEncoding.EncodedLen(markIDBytes + markSealBytes)

// marks returns the marks that a browser has.
func (p *Provider) marks(r *http.Request) []string {
	cookie, err := r.Cookie(p.cookies.known)
	if err != nil || len(cookie.Value) > maxMarks*(markLength+1) {
		return nil
	}
	return slices.DeleteFunc(strings.Split(cookie.Value, "."), func(mark string) bool { return len(mark) != markLength })
}

// knownAs returns the mark of this browser for a username, or "".
func (p *Provider) knownAs(r *http.Request, username string) (string, error) {
	marks := p.marks(r)
	if len(marks) == 0 {
		return "", nil
	}
	user, ok := p.registry.UserByName(username)
	if !ok {
		user = &registration.User{} // as much work as for one that exists
	}
	hash, err := identity.CurrentHash(r.Context(), p.store, user)
	if err != nil {
		return "", err
	}
	for _, mark := range marks {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(mark) // else there were four ways to write a mark, each counted by itself
		if err == nil && hmac.Equal(raw, sealMark(raw[:markIDBytes:markIDBytes], user.Subject, hash)) && hash != "" {
			return mark, nil
		}
	}
	return "", nil
}

// sealMark returns the bytes of a mark with this ID.
func sealMark(id []byte, subject, hash string) []byte {
	mac := hmac.New(sha256.New, []byte("known browser "+hash))
	mac.Write(id)
	mac.Write([]byte(subject))
	return append(id, mac.Sum(nil)[:markSealBytes]...)
}

// markBrowser makes the browser known to somebody who has logged in there.
func (p *Provider) markBrowser(ctx context.Context, w http.ResponseWriter, r *http.Request, user *registration.User) error {
	before, err := p.knownAs(r, user.Username)
	if err != nil {
		return err
	}
	hash, err := identity.CurrentHash(ctx, p.store, user)
	if err != nil || hash == "" {
		return err
	}
	mark := before
	if mark == "" {
		id := make([]byte, markIDBytes)
		_, _ = rand.Read(id) // never fails: the program is stopped instead
		mark = base64.RawURLEncoding.EncodeToString(sealMark(id, user.Subject, hash))
	}
	marks := append([]string{mark}, slices.DeleteFunc(p.marks(r), func(m string) bool { return m == mark })...)
	p.cookies.keep(w, p.cookies.known, strings.Join(marks[:min(len(marks), maxMarks)], "."), markLifetime)
	return nil
}
