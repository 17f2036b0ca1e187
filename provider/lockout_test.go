package provider_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// lockout is an issuer at which somebody guesses.
type lockout struct {
	*testing.T
	issuer *providertest.Issuer
	audit  *stream
}

func newLockout(t *testing.T, opts ...providertest.Option) *lockout {
	t.Helper()
	l := &lockout{T: t, audit: &stream{}}
	proxied := providertest.WithOptions(func(o *provider.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	l.issuer, _ = newIssuer(t, append([]providertest.Option{withAudit(l.audit), proxied}, opts...)...)
	l.issuer.SetSettings(registration.Settings{Login: registration.Login{MaxAttempts: 3, Window: registration.Duration(10 * time.Minute)}})
	return l
}

// try logs in with a browser from an address.
func (l *lockout) try(browser *providertest.Browser, address, username, given string) *providertest.Page {
	l.Helper()
	page := browser.Get(l.issuer.Endpoint("/login"))
	form := url.Values{"username": {username}, "password": {given}, "csrf_token": page.Form.Fields["csrf_token"]}
	r := newRequest(l.T, http.MethodPost, page.URL.String(), form)
	r.Header.Set("X-Forwarded-For", address)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return browser.Do(r)
}

func (l *lockout) stranger(address, username, given string) *providertest.Page {
	l.Helper()
	return l.try(l.issuer.NewBrowser(l), address, username, given)
}

// waits fails unless a page says to wait for so long.
func (l *lockout) waits(page *providertest.Page, seconds int, words string) {
	l.Helper()
	if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") != strconv.Itoa(seconds) || !strings.Contains(page.Body, "Wait "+words+",") {
		l.Fatalf("status %d, Retry-After %q, want %d, and %q in\n%s", page.Status, page.Header.Get("Retry-After"), seconds, words, page.Body)
	}
}

func (l *lockout) status(page *providertest.Page, want int) {
	l.Helper()
	if page.Status != want {
		l.Fatalf("status %d, want %d\n%s", page.Status, want, page.Body)
	}
}

const (
	attacker = "203.0.113.7"
	home     = "198.51.100.9"
)

// After so many failures a name has to wait, twice as long each time; waiting attempts change nothing; all names are alike.
func TestLockout(t *testing.T) {
	for _, username := range []string{"ada", "nobody"} {
		t.Run(username, func(t *testing.T) {
			l := newLockout(t)
			for range 3 {
				l.status(l.stranger(attacker, username, "wrong"), http.StatusForbidden)
			}
			l.waits(l.stranger(attacker, username, "wrong"), 1, "1 second")
			for range 20 { // these do not count
				l.waits(l.stranger(attacker, strings.ToUpper(username), password), 1, "1 second")
			}
			for _, wait := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600} {
				before := wait / 2
				if wait == 600 {
					before = 512
				}
				l.issuer.Clock.Advance(max(before, 1)*time.Second + time.Second/2)
				if wait == 600 {
					l.issuer.Clock.Advance(100 * time.Second)
				}
				l.status(l.stranger(attacker, username, "wrong"), http.StatusForbidden)
				page := l.stranger(attacker, username, password)
				if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") != strconv.Itoa(int(wait)) {
					l.Fatalf("status %d, Retry-After %s, want %d", page.Status, page.Header.Get("Retry-After"), wait)
				}
			}
			l.issuer.Clock.Advance(601 * time.Second)
			if want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[username == "ada"]; l.stranger(attacker, username, password).Status != want {
				t.Error("after the longest wait there is no way in")
			}
			if got := len(l.audit.records(t, "login.blocked")); got != 21+11 {
				t.Errorf("%d records of blocked logins", got)
			}
		})
	}
}

// A success forgets the failures of the name.
func TestSuccessEndsTheCount(t *testing.T) {
	l := newLockout(t)
	for range 3 {
		for range 2 {
			l.status(l.stranger(home, "ada", "wrong"), http.StatusForbidden)
		}
		l.status(l.stranger(home, "ada", password), http.StatusOK)
	}
}

// What an attacker does at one address keeps the person out nowhere else, in no browser.
func TestAttackersDoNotLockOutPeople(t *testing.T) {
	l := newLockout(t)
	own := l.issuer.NewBrowser(t)
	l.status(l.try(own, attacker, "ada", password), http.StatusOK)
	for range 5 {
		l.stranger(attacker, "ada", "wrong")
		l.issuer.Clock.Advance(time.Minute)
	}
	l.stranger(attacker, "ada", "wrong")
	l.status(l.stranger(attacker, "ada", password), http.StatusTooManyRequests)
	l.status(l.stranger(home, "ada", password), http.StatusOK)

	// An attacker with many addresses blocks the name everywhere but in the person's own browsers, also behind one address.
	for i := range 60 {
		l.stranger("192.0.2."+strconv.Itoa(i), "ada", "wrong")
	}
	l.status(l.stranger(home, "ada", password), http.StatusTooManyRequests)
	l.status(l.try(own, attacker, "ada", password), http.StatusOK)
	// There, too, nobody guesses without end.
	for range 3 {
		l.status(l.try(own, home, "ada", "wrong"), http.StatusForbidden)
	}
	l.waits(l.try(own, home, "ada", password), 1, "1 second")
	// And the browser is known for nobody else.
	l.issuer.AddUser(registration.User{Username: "grace"}, password)
	for i := range 60 {
		l.stranger("192.0.2."+strconv.Itoa(i), "grace", "wrong")
	}
	l.status(l.try(own, home, "grace", password), http.StatusTooManyRequests)
}

// One password tried on many names is stopped by the address, for a short time: others are behind it, too. All of a /64 is one.
func TestAddressLimit(t *testing.T) {
	l := newLockout(t)
	own := l.issuer.NewBrowser(t)
	l.status(l.try(own, home, "ada", password), http.StatusOK)
	for i := range 30 {
		l.status(l.stranger("2001:db8:1:2::"+strconv.Itoa(i+1), "name"+strconv.Itoa(i), "Summer2026"), http.StatusForbidden)
	}
	l.waits(l.stranger("2001:db8:1:2:ffff::1", "other", "Summer2026"), 1, "1 second")
	l.status(l.stranger("2001:db8:1:3::1", "other", "Summer2026"), http.StatusForbidden)
	l.status(l.try(own, "2001:db8:1:2::1", "ada", password), http.StatusOK) // known there
	for i := range 10 {
		l.issuer.Clock.Advance(time.Minute + time.Second)
		l.status(l.stranger("2001:db8:1:2::1", "next"+strconv.Itoa(i), "Summer2026"), http.StatusForbidden)
	}
	l.waits(l.stranger("2001:db8:1:2::1", "ada", password), 60, "60 seconds")
	// A success does not clear the address: every attacker has an account of their own.
	l.issuer.Clock.Advance(time.Minute + time.Second)
	l.status(l.stranger("2001:db8:1:2::1", "ada", password), http.StatusOK)
	l.status(l.stranger("2001:db8:1:2::1", "more", "Summer2026"), http.StatusForbidden)
	l.waits(l.stranger("2001:db8:1:2::1", "more", "Summer2026"), 60, "60 seconds")
}

// turnPeople is an Authenticator in which everybody waits for their turn, which says whether they are right.
type turnPeople struct {
	inside chan struct{}
	turn   chan bool
}

func (p turnPeople) Authenticate(context.Context, string, string) (identity.Identity, error) {
	p.inside <- struct{}{}
	if right := <-p.turn; !right {
		return identity.Identity{}, identity.ErrRejected
	}
	return identity.Identity{Subject: "sub-ada", Methods: []string{"pwd"}}, nil
}

// Many guesses at a time, all of which were let in, learn no more than as many one after the other: when too many have failed,
// a right one is answered like any other.
func TestGuessesAtATime(t *testing.T) {
	people := turnPeople{make(chan struct{}), make(chan bool)}
	l := newLockout(t, providertest.WithOptions(func(o *provider.Options) { o.Authenticator = people }))
	turns := []struct {
		right bool
		want  int
	}{
		{false, http.StatusForbidden},
		{false, http.StatusForbidden},
		{false, http.StatusForbidden},
		{false, http.StatusTooManyRequests},
		{true, http.StatusTooManyRequests},
		{true, http.StatusTooManyRequests},
		{false, http.StatusTooManyRequests},
	}
	answers := make(chan int)
	for range turns {
		browser := l.issuer.NewBrowser(t)
		go func() { answers <- l.try(browser, attacker, "ada", "guess").Status }()
	}
	for range turns {
		<-people.inside
	}
	for i, turn := range turns {
		people.turn <- turn.right
		if status := <-answers; status != turn.want {
			t.Errorf("guess %d is answered %d, want %d", i+1, status, turn.want)
		}
	}
	if sessions, err := l.issuer.Store.SessionsOf(t.Context(), "sub-ada"); err != nil || len(sessions) != 0 {
		t.Errorf("%v, %d sessions", err, len(sessions))
	}
}

// A browser is known only by what this provider has given it, and not after another password.
func TestKnownBrowsers(t *testing.T) {
	known := func(l *lockout, change func(*http.Cookie), between func()) bool {
		own := l.issuer.NewBrowser(l)
		l.status(l.try(own, home, "ada", password), http.StatusOK)
		thief := l.issuer.NewBrowser(l)
		for _, cookie := range own.Cookies() {
			if strings.Contains(cookie.Name, "oidc-known-") {
				change(cookie)
				thief.SetCookies(cookie)
			}
		}
		between()
		for range 4 {
			l.stranger(attacker, "ada", "wrong")
		}
		return l.try(thief, attacker, "ada", "wrong").Status == http.StatusForbidden
	}
	same, nothing := func(*http.Cookie) {}, func() {}
	for name, c := range map[string]struct {
		change  func(*http.Cookie)
		between func(*lockout)
		known   bool
	}{
		"as it was":       {same, func(*lockout) {}, true},
		"with other bits": {func(c *http.Cookie) { c.Value = strings.ToUpper(c.Value) }, nil, false},
		"in another way": {func(c *http.Cookie) { // the last character has two bits that mean nothing
			c.Value = c.Value[:42] + string(c.Value[42]+1)
		}, nil, false},
		"shortened":          {func(c *http.Cookie) { c.Value = c.Value[:42] }, nil, false},
		"of many":            {func(c *http.Cookie) { c.Value = strings.Repeat(c.Value+".", 500) }, nil, false},
		"among others":       {func(c *http.Cookie) { c.Value = strings.Repeat("A", 43) + ".." + c.Value }, nil, true},
		"invented":           {func(c *http.Cookie) { c.Value = strings.Repeat("A", 43) }, nil, false},
		"of an old password": {same, func(l *lockout) { l.issuer.AddUser(ada(), "another one") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLockout(t)
			between := nothing
			if c.between != nil {
				between = func() { c.between(l) }
			}
			if got := known(l, c.change, between); got != c.known {
				t.Errorf("known: %v", got)
			}
		})
	}
}

// A browser remembers a few people, the last ones.
func TestKnownBrowsersAreBounded(t *testing.T) {
	l := newLockout(t)
	own := l.issuer.NewBrowser(t)
	for i := range 8 {
		username := "user" + strconv.Itoa(i)
		l.issuer.AddUser(registration.User{Username: username}, password)
		l.status(l.try(own, home, username, password), http.StatusOK)
		l.status(l.try(own, home, username, password), http.StatusOK)
	}
	for _, cookie := range own.Cookies() {
		if strings.Contains(cookie.Name, "oidc-known-") && len(cookie.Value) != 5*44-1 {
			t.Errorf("the cookie has %d characters", len(cookie.Value))
		}
	}
}
