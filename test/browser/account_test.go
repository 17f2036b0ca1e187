package browser_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const anotherPassword = "purple elephants sing quietly"

// speaks makes the browser prefer a language.
func (b *tab) speaks(language string) {
	b.t.Helper()
	call(b, network.SetExtraHTTPHeaders.Method, map[string]any{"headers": map[string]string{"Accept-Language": language}})
}

func (b *tab) toAccount(s *site) {
	b.t.Helper()
	b.open(s.issuer + "/")
	b.click("main a.button") // log in
	b.logIn(username, s.password)
	b.click("main a.button") // the account
	b.at(s.issuer + "/account")
}

// A person sees what is known of them, logs out another browser, takes back an application's access and changes the password,
// with scripts switched off.
func TestAccountWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := newTab(t)
	other.toLogin(s)
	other.logIn(username, s.password)
	other.allow(s)
	other.signedIn(s)

	b := newTab(t)
	b.expectComplaint("status of 422")
	call(b, emulation.SetScriptExecutionDisabled.Method, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.toAccount(s)
	if facts := b.text(".facts"); !strings.Contains(facts, fullName) || !strings.Contains(facts, email) {
		b.fatalf("the account shows %q", facts)
	}

	b.click("a[href$='/sessions']")
	b.click(".cards li:nth-child(2) button")
	b.reads("[role=status]", "You are logged out there.")
	other.open(s.issuer + "/")
	other.reads("h1", "You are not logged in")

	b.click(".back a")
	b.click("a[href$='/applications']")
	b.reads(".cards h2", appName)
	b.click(".cards button")
	if page := b.text("main"); !strings.Contains(page, "No application has access") {
		b.fatalf("after taking access back: %q", page)
	}

	b.click(".back a")
	b.click("a[href$='/password']")
	fill := func(current, next string) int64 {
		b.do(chromedp.SendKeys(chromedp.CSS("#current"), current), chromedp.SendKeys(chromedp.CSS("#next"), next),
			chromedp.SendKeys(chromedp.CSS("#repeat"), next))
		return b.click("form button").Status
	}
	if status := fill(s.password, "Password1234"); status != http.StatusUnprocessableEntity {
		t.Errorf("a password that is guessed first: %d", status)
	}
	b.focused("next")
	fill(s.password, anotherPassword)
	b.at(s.issuer + "/account")
	b.reads("[role=status]", "Your password is changed. Everywhere else you are logged out.")

	other.expectComplaint("status of 403")
	other.toLogin(s)
	if status := other.logIn(username, s.password); status != http.StatusForbidden {
		t.Errorf("the old password: %d", status)
	}
	other.do(chromedp.SendKeys(chromedp.CSS("#password"), anotherPassword))
	other.click("form button")
	other.allow(s) // asked again
	other.signedIn(s)
}

// The account with nothing but Tab, Enter and letters.
func TestAccountByKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.open(s.issuer + "/account/password")
	b.focused("username")
	b.do(chromedp.KeyEvent(username))
	b.tabTo("password")
	b.do(chromedp.KeyEvent(s.password))
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.at(s.issuer + "/account/password")
	b.focused("current")
	b.do(chromedp.KeyEvent(s.password))
	b.tabTo("next")
	b.do(chromedp.KeyEvent(anotherPassword))
	b.tabTo("repeat")
	b.do(chromedp.KeyEvent(anotherPassword))
	b.tabTo("Change password")
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.at(s.issuer + "/account")
	b.tabTo("Where you are logged in 1")
	b.tabTo("Applications with access 0")
	b.tabTo("Change password")
	b.tabTo("Log out")
	b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)),
		chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.at(s.issuer + "/account/sessions")
	b.tabTo("Your account")
}

// The whole way in German, also what the browser is told of an error.
func TestGerman(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t)
	b.speaks("de-CH,de;q=0.9,en;q=0.5")
	b.expectComplaint("status of 403")
	b.toLogin(s)
	b.reads("h1", "Anmelden")
	if lang := get(b, chromedp.Evaluate[string]("document.documentElement.lang")); lang != "de" {
		t.Errorf("the page is said to be in %q", lang)
	}
	b.logIn(username, "wrong")
	b.reads("[role=alert]", "Benutzername oder Passwort ist falsch. Bitte prüfen Sie beides und versuchen Sie es noch einmal.")
	if title := get(b, chromedp.Evaluate[string]("document.title")); !strings.HasPrefix(title, "Fehler: Anmelden – "+appName+" – 127.0.0.1") {
		t.Errorf("the window is called %q", title)
	}
	b.logIn(username, s.password)
	b.reads("h1", "Daten an "+appName+" weitergeben?")
	b.allow(s)
	b.signedIn(s)
	b.open(s.issuer + "/account/sessions")
	b.reads("h1", "Wo Sie angemeldet sind")
}

// After too many wrong passwords the page says how long to wait; a browser that the person has used before does not have to.
func TestLockoutPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	own, b := newTab(t), newTab(t)
	own.toAccount(s)
	own.click("form button")
	own.reads("h1", "You are logged out")

	b.expectComplaint("status of 403")
	b.expectComplaint("status of 429")
	b.toLogin(s)
	// How many wrong ones it takes depends on the machine: a wait that is over before the next attempt is none. But each is twice as
	// long as the one before, so that one of them is not.
	var status int64
	for deadline := time.Now().Add(timeout); status != http.StatusTooManyRequests; {
		if status = b.logIn(username, "wrong"); status != http.StatusTooManyRequests && (status != http.StatusForbidden || time.Now().After(deadline)) {
			b.fatalf("a wrong password is answered with %d", status)
		}
	}
	if alert := b.text("[role=alert]"); !strings.HasPrefix(alert, "Too many logins have failed. Wait ") {
		b.fatalf("the page says %q", alert)
	}
	if b.value("#username") != username || b.value("#password") != "" {
		b.fatalf("the fields hold something else than the username")
	}
	own.toLogin(s)
	own.logIn(username, s.password)
	own.allow(s)
	own.signedIn(s)
}
