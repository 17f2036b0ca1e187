package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A logout loads the page of every application of the session in a frame that nobody sees, and then goes on by itself (OpenID
// Connect Front-Channel Logout section 2).
func TestFrontChannelLogout(t *testing.T) {
	t.Parallel()
	framed := make(chan url.Values, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/frontchannel_logout" {
			framed <- r.URL.Query()
		}
		_, _ = fmt.Fprint(w, `<!doctype html><title>t</title><link rel=icon href="data:,"><h1>Application</h1>`)
	}))
	t.Cleanup(app.Close)
	home := strings.Replace(app.URL, "127.0.0.1", "localhost", 1)
	s := newSite(t, func(s *site) {
		s.create("client", "create", "framed", "--redirect-uri", home+"/callback", "--post-logout-redirect-uri", home+"/bye",
			"--frontchannel-logout-uri", home+"/frontchannel_logout", "--consent", "Never")
	})
	b := newTab(t)
	b.open(s.issuer + "/oauth2/authorize?" + url.Values{
		"client_id": {"framed"}, "redirect_uri": {home + "/callback"}, "response_type": {"code"}, "scope": {"openid"},
	}.Encode())
	b.logIn(username, s.password)
	b.at(home + "/callback")
	b.open(s.issuer + "/oauth2/logout?" + url.Values{"client_id": {"framed"}, "post_logout_redirect_uri": {home + "/bye"}, "state": {"s-1"}}.Encode())
	b.click("form button")
	select {
	case q := <-framed:
		if q.Get("iss") != s.issuer || q.Get("sid") == "" || len(q) != 2 {
			t.Errorf("the frame is loaded with %v", q)
		}
	case <-time.After(stepTimeout):
		b.fatalf("the application's page is not loaded")
	}
	for deadline := time.Now().Add(stepTimeout); !b.saw(home + "/bye?state=s-1"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.fatalf("the browser does not go on: %v", b.visited)
		}
	}
}
