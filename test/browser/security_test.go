package browser_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
)

func isSession(cookie string) bool { return strings.Contains(cookie, "oidc-session-") }

// cookies returns what the browser would send to a URL.
func (b *tab) cookies(target string) []*network.Cookie {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{target}})
	if err != nil {
		b.fatalf("%v", err)
	}
	return result.Cookies
}

func (b *tab) cookieNames(target string) []string {
	b.t.Helper()
	var names []string
	for _, c := range b.cookies(target) {
		names = append(names, c.Name)
	}
	return names
}

// checkCookies expects the cookies of the session, of the forms and of who is known here, which no script and no other site
// can use. Only the last outlives the browser.
func (b *tab) checkCookies(s *site) {
	b.t.Helper()
	cookies := b.cookies(s.issuer)
	if len(cookies) != 3 {
		b.fatalf("%d cookies, want 3: %v", len(cookies), b.cookieNames(s.issuer))
	}
	secure := strings.HasPrefix(s.issuer, "https://")
	for _, c := range cookies {
		if !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Session == strings.Contains(c.Name, "oidc-known-") || c.Path != "/" || strings.HasPrefix(c.Domain, ".") {
			b.t.Errorf("cookie %s: HttpOnly %t, SameSite %q, until the browser closes %t, path %q, domain %q",
				c.Name, c.HTTPOnly, c.SameSite, c.Session, c.Path, c.Domain)
		}
		if c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure {
			b.t.Errorf("cookie %s of %s: Secure %t", c.Name, s.issuer, c.Secure)
		}
	}
	b.open(s.issuer + "/")
	if visible := get(b, chromedp.Evaluate[string]("document.cookie")); visible != "" {
		b.t.Error("scripts can read cookies")
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.toLogin(s)
	b.logIn(username, s.password)
	b.allow(s)
	b.signedIn(s)
	b.checkCookies(s)
}

// With https the cookies are bound to the host, and the whole way works, with the application trusting the certificate.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := newUnstartedSite(t, "https")
	cert, key, pool := newCertificate(t)
	s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	s.environment = []string{"SSL_CERT_FILE=" + cert}
	s.start("--tls-cert-file", cert, "--tls-key-file", key)
	b := newTab(t)
	if _, err := chromedp.Call(b.ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}); err != nil {
		t.Fatal(err)
	}
	b.toLogin(s)
	b.logIn(username, s.password)
	b.allow(s)
	b.signedIn(s)
	b.checkCookies(s)
}

// newCertificate writes a certificate of 127.0.0.1 that is its own authority.
func newCertificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, data := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, pool
}

// A page that another site shows in a frame could have its buttons clicked unseen.
func TestNoPageCanBeFramed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.expectComplaint("frame-ancestors")
	b.open(s.issuer + "/login")
	b.logIn(username, s.password)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/" {
			_, _ = fmt.Fprintf(w, `<!doctype html><title>t</title><link rel=icon href="data:,"><iframe src="/framed"></iframe>`+
				`<iframe src="%s/login"></iframe><iframe src="%s/"></iframe><iframe src="%s/oauth2/logout"></iframe>`, s.issuer, s.issuer, s.issuer)
		}
	}))
	defer other.Close()
	b.open(other.URL)
	var tree page.GetFrameTreeResult
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
		return target.Call(ctx, page.GetFrameTree.Method, nil, &tree)
	}))
	if n := len(tree.FrameTree.ChildFrames); n != 4 {
		t.Fatalf("%d frames", n)
	}
	for _, child := range tree.FrameTree.ChildFrames {
		blocked := child.Frame.UnreachableURL != ""
		if ours := !strings.HasPrefix(child.Frame.URL+child.Frame.UnreachableURL, other.URL); blocked != ours {
			t.Errorf("frame %s %s: blocked %t", child.Frame.URL, child.Frame.UnreachableURL, blocked)
		}
	}
}
