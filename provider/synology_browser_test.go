package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/chromium"
)

// exampleApp is an application as it was written for Synology SSO Server: a page with the script, a page of the manual flow, and a
// back end that exchanges tokens.
type exampleApp struct {
	*realBrowser
	// near and far are the application at two addresses: for a browser the first is of the provider's site, the other is not.
	near, far string
}

// frontPage is the application's page. It writes down, in the order in which they come, what the script tells it.
const frontPage = `<!doctype html><meta charset="utf-8"><title>Example</title>
<button id="login">Log in</button> <button id="logout">Log out</button>
<ul id="told"></ul><p id="who"></p>
<script src="%[1]s/webman/sso/synoSSO-1.0.0.js"></script>
<script>
const note = text => document.getElementById("told").append(Object.assign(document.createElement("li"), {textContent: text}));
async function told(answer) {
	note(answer.status);
	if (answer.status === "login") {
		const response = await fetch("/exchange?accesstoken=" + answer.access_token);
		const found = await response.json();
		document.getElementById("who").textContent = found.success ? found.data.user_name + " " + found.data.user_id : found.error;
	}
}
const more = Object.fromEntries(new URLSearchParams(location.search));
window.started = SYNOSSO.init(Object.assign({oauthserver_url: "%[1]s/", app_id: "%[2]s", redirect_uri: location.origin, callback: told}, more));
document.getElementById("login").addEventListener("click", SYNOSSO.login);
document.getElementById("logout").addEventListener("click", () => SYNOSSO.logout((...given) => note("logged out " + given.length)));
</script>`

// manualPage shows what comes back in the fragment, as its back end sees it.
const manualPage = `<!doctype html><meta charset="utf-8"><title>Manual</title><p id="state"></p><p id="who"></p>
<script>
const answer = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
document.getElementById("state").textContent = answer.get("state");
fetch("/exchange?accesstoken=" + answer.get("access_token")).then(r => r.json()).then(found => {
	document.getElementById("who").textContent = found.success ? found.data.user_name + " " + found.data.user_id : found.error;
});
</script>`

func newExampleApp(t *testing.T) *exampleApp {
	t.Helper()
	issuer, _ := newIssuer(t)
	app := &exampleApp{realBrowser: &realBrowser{t: t, issuer: issuer}}
	mux := http.NewServeMux()
	page := func(html string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, html)
		}
	}
	mux.HandleFunc("GET /{$}", page(fmt.Sprintf(frontPage, issuer.URL, appID)))
	mux.HandleFunc("GET /manual", page(manualPage))
	mux.HandleFunc("GET /exchange", func(w http.ResponseWriter, r *http.Request) {
		q := url.Values{"action": {"exchange"}, "access_token": {r.URL.Query().Get("accesstoken")}} // without app_id, as the guide's
		response, err := issuer.Client().Get(issuer.Endpoint(ssoExchange) + "?" + q.Encode())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, response.Body)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	app.near, app.far = server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	client := appClient()
	client.SynologySSO = &registration.SynologySSOClient{AppID: appID, RedirectURIs: []string{app.near, app.far, app.near + "/manual"}}
	issuer.AddClient(client)
	issuer.SetSettings(registration.Settings{SynologySSO: registration.SynologySSO{Enabled: true}})
	app.ctx = startChromium(t)
	return app
}

// visit opens the front page.
func (a *exampleApp) visit(page string) {
	a.t.Helper()
	a.do(chromedp.Navigate(page), chromedp.WaitVisible("#login"))
}

// told waits until the page was told so many things, and returns them.
func (a *exampleApp) told(count int) []string {
	a.t.Helper()
	var got []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		text, err := chromedp.Run(a.ctx, chromedp.Evaluate[string](`JSON.stringify([...document.querySelectorAll("#told li")].map(li => li.textContent))`))
		if err != nil {
			a.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			a.t.Fatal(err)
		}
		if len(got) >= count {
			return got
		}
	}
	a.t.Fatalf("the page was told %q, and not %d things", got, count)
	return nil
}

func (a *exampleApp) mustBeTold(want ...string) {
	a.t.Helper()
	if got := a.told(len(want)); strings.Join(got, ", ") != strings.Join(want, ", ") {
		a.t.Errorf("the page was told %q, want %q", got, want)
	}
}

// knows waits until the application's back end knows who it is.
func (a *exampleApp) knows(want string) {
	a.t.Helper()
	a.do(chromedp.WaitVisible("#who"))
	got := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && got == ""; time.Sleep(20 * time.Millisecond) {
		got, _ = chromedp.Run(a.ctx, chromedp.Evaluate[string](`document.getElementById("who").textContent`))
	}
	if !strings.HasPrefix(got, want) {
		a.t.Errorf("the application knows %q, want %q", got, want)
	}
}

// popUp clicks a button of the page and returns the window that opens.
func (a *exampleApp) popUp(button string) *realBrowser {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.ctx, time.Minute)
	defer cancel()
	opened, err := chromium.WindowOpened(ctx)
	if err != nil {
		a.t.Fatal(err)
	}
	a.do(chromedp.Click(button))
	select {
	case id := <-opened:
		popup, closeTab := chromedp.NewContext(a.ctx, chromedp.WithTargetID(id))
		a.t.Cleanup(closeTab)
		if err := chromedp.Do(popup); err != nil {
			a.t.Fatalf("attach to the window: %v", err)
		}
		return &realBrowser{t: a.t, ctx: popup, issuer: a.issuer}
	case <-ctx.Done():
		a.t.Fatal("no window opens")
		return nil
	}
}

// logInInWindow types the password; the window may be gone before that is acknowledged.
func (c *realBrowser) logInInWindow() {
	c.t.Helper()
	c.do(chromedp.WaitVisible("#password"), chromedp.SetValue("#username", "ada"))
	_ = chromedp.Do(c.ctx, chromedp.SendKeys("#password", password+kb.Enter))
}

// The guide's first program, from another site, where the browser shows no cookies to frames: nobody is known at first, a window logs
// in, and the back end learns who it is. Coming back the window needs no password.
func TestBrowserSynologyFrontPage(t *testing.T) {
	a := newExampleApp(t)
	for _, status := range []string{"with a password", "without"} {
		a.visit(a.far)
		a.mustBeTold("not_login")
		window := func() *realBrowser { return a.popUp("#login") }
		if status == "with a password" {
			window().logInInWindow()
		} else {
			a.do(chromedp.Click("#login"))
		}
		a.mustBeTold("not_login", "login")
		a.knows("ada ")
	}
}

// On the provider's own site the query finds out who is logged in without anybody doing anything.
func TestBrowserSynologySilentQuery(t *testing.T) {
	a := newExampleApp(t)
	a.visit(a.near)
	a.mustBeTold("not_login")
	a.popUp("#login").logInInWindow()
	a.mustBeTold("not_login", "login")
	a.visit(a.near)
	a.mustBeTold("login")
	a.knows("ada ")
}

// A logout in a frame ends the login here; on another site, where the frame sees nothing, a window asks.
func TestBrowserSynologyLogout(t *testing.T) {
	a := newExampleApp(t)
	a.visit(a.near)
	a.popUp("#login").logInInWindow()
	a.mustBeTold("not_login", "login")
	a.do(chromedp.Click("#logout"))
	a.mustBeTold("not_login", "login", "logged out 0")
	a.visit(a.near)
	a.mustBeTold("not_login")

	a.visit(a.far)
	a.mustBeTold("not_login")
	a.popUp("#login").logInInWindow()
	a.mustBeTold("not_login", "login")
	window := a.popUp("#logout")
	window.do(chromedp.WaitVisible(`form button`))
	_ = chromedp.Do(window.ctx, chromedp.Click(`form button`)) // the window closes itself
	a.mustBeTold("not_login", "login", "logged out 0")
	a.visit(a.near)
	a.mustBeTold("not_login")
}

// The guide's manual flow.
func TestBrowserSynologyManualFlow(t *testing.T) {
	a := newExampleApp(t)
	a.do(chromedp.Navigate(ssoURL(a.issuer, "redirect_uri", a.near+"/manual")))
	a.logIn(password)
	a.knows("ada ")
	if state, err := chromedp.Run(a.ctx, chromedp.Text("#state")); err != nil || state != "fabc 21&cf" {
		t.Errorf("the state is %q (%v)", state, err)
	}
}

// What is wrong is told to the page: by the frame where the page may frame it, else by the window, which also says it to the person.
func TestBrowserSynologyFaults(t *testing.T) {
	a := newExampleApp(t)
	a.visit(a.far + "?redirect_uri=" + url.QueryEscape(a.far+"/not-registered"))
	a.mustBeTold("invalid_redirect_uri")
	a.visit(a.far + "?domain_name=OTHER.COM")
	a.mustBeTold("invalid_directory_service")
	a.visit(a.far + "?app_id=" + strings.Repeat("0", 32))
	window := a.popUp("#login")
	window.do(chromedp.WaitVisible(".detail"))
	if text, err := chromedp.Run(window.ctx, chromedp.Text("h1")); err != nil || text != "The application is not registered" {
		t.Errorf("the window says %q (%v)", text, err)
	}
	a.mustBeTold("invalid_app_id", "unknown_error") // from the frame that nobody may frame, when the script has waited long enough
}

// Closing the window is an answer.
func TestBrowserSynologyWindowIsClosed(t *testing.T) {
	a := newExampleApp(t)
	a.visit(a.far)
	a.mustBeTold("not_login")
	window := a.popUp("#login")
	window.do(chromedp.WaitVisible("#password"))
	_ = chromedp.Do(window.ctx, func(ctx context.Context, tgt *chromedp.Target) (chromedp.Void, error) {
		return chromedp.Evaluate[chromedp.Void]("window.close()")(ctx, tgt)
	})
	a.mustBeTold("not_login", "not_login")
}

// What the script does with what it is given.
func TestBrowserSynologyScriptInterface(t *testing.T) {
	a := newExampleApp(t)
	a.visit(a.far)
	a.mustBeTold("not_login")
	for _, missing := range []string{"oauthserver_url", "app_id", "redirect_uri", "callback"} {
		script := fmt.Sprintf(`(() => { let said = ""; console.error = text => { said += text };
			const given = {oauthserver_url: %q, app_id: %q, redirect_uri: location.origin, callback() {}}; delete given[%q];
			return SYNOSSO.init(given) + " " + said; })()`, a.issuer.URL, appID, missing)
		if got, err := chromedp.Run(a.ctx, chromedp.Evaluate[string](script)); err != nil || got != "false SYNOSSO: "+missing+" is required" {
			t.Errorf("without %s init says %q (%v)", missing, got, err)
		}
	}
	// Messages of other origins, windows and requests, and what is no text, are nothing to it.
	forged := `for (const data of ["#status=login&access_token=x&state=", {status: "login"}, null, "#", location.origin + "#status=login&access_token=x"]) {
		window.postMessage(data, "*"); window.dispatchEvent(new MessageEvent("message", {data, origin: %q, source: window})); }; "sent"`
	if _, err := chromedp.Run(a.ctx, chromedp.Evaluate[string](fmt.Sprintf(forged, a.issuer.URL))); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	a.mustBeTold("not_login")
	if got := a.told(1); len(got) != 1 {
		t.Errorf("forged messages are believed: %q", got)
	}
	// A page that the protocol itself has opened stays quiet.
	a.visit(a.far + "?synossoJSSDK=true")
	quiet, err := chromedp.Run(a.ctx, chromedp.Evaluate[string](`SYNOSSO.login(); SYNOSSO.logout(() => {}); window.started + " " + document.querySelectorAll("iframe").length`))
	if err != nil || quiet != "false 0" {
		t.Errorf("on such a page init returns and makes %q (%v)", quiet, err)
	}
}
