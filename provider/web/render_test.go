package web

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func examplePages() map[string]Page {
	app := Application{Name: "Matrix & <b>", Description: "Chat", Logo: "https://x.example/l.svg", Website: "https://x.example", Policy: "https://x.example/p", Terms: "https://x.example/t"}
	then := exampleView("").Now.Add(-3 * 24 * time.Hour)
	session := Session{ID: "s1", Browser: "Firefox", System: "Windows", Address: "192.0.2.1", This: true, LoggedIn: then, LastSeen: then}
	return map[string]Page{
		"login":           Login{Application: app, Action: "/login?a=b&c=d", Token: "token", Username: "ada"},
		"login again":     Login{Application: app, Action: "/login", Token: "token", Again: true},
		"login rejected":  Login{Action: "/login", Token: "token", Rejected: true},
		"login busy":      Login{Action: "/login", Token: "token", Busy: true},
		"consent":         Consent{Application: app, Action: "/consent", Token: "token", Person: "Ada", Username: "ada", Shared: []Shared{{"openid", ""}, {"email", "ada@example.com"}}, OtherAccount: "/login?x", ReturnHost: "x.example"},
		"error":           Error{Text: "redirect_unregistered", Args: []any{"Matrix"}, Detail: "redirect_uri <x>", Again: "/login?a=b", RequestID: "r-1"},
		"denied":          Denied{Application: app, Reason: "group", Action: "/consent?a=b", Token: "token", Person: "Ada", Username: "ada", OtherAccount: "/login?a=b"},
		"form_post":       FormPost{Action: "https://x.example/cb?a=b&c=d", Fields: []Field{{"code", "c"}, {"state", "\"'<>&"}}, ReturnHost: "x.example"},
		"confirm logout":  ConfirmLogout{Application: app, Action: "/logout", Token: "token", Person: "Ada", Username: "ada", Home: "/"},
		"logged out":      LoggedOut{Login: "/login"},
		"home":            Home{Person: "Ada", Username: "ada", Logout: "/logout", Token: "token"},
		"home, nobody in": Home{Login: "/login"},
		"login wait":      Login{Action: "/login", Token: "token", Wait: 90 * time.Second},
		"account": Account{
			Person: "Ada", Username: "ada", Details: []Detail{{"name", "Ada", false}, {"email", "ada@example.com", true}}, Done: "password",
			Sessions: "/s", Applications: "/a", Password: "/p", SessionCount: 2, Logout: "/logout", Token: "token",
		},
		"sessions":         Sessions{Account: "/account", Action: "/s", Token: "token", Sessions: []Session{session, {ID: "s2", LoggedIn: then}}, Others: true, Done: "ended"},
		"applications":     Applications{Account: "/account", Action: "/a", Token: "token", Applications: []Authorized{{Application: app, ClientID: "x", Since: then, LastUsed: then, Shared: []Shared{{"openid", ""}, {"other", "api:read"}}}}},
		"no applications":  Applications{Account: "/account"},
		"password":         ChangePassword{Account: "/account", Action: "/p", Token: "token", Username: "ada", MinLength: 12},
		"password, faulty": ChangePassword{Account: "/account", Action: "/p", Token: "token", Username: "ada", MinLength: 12, Fault: "short", Field: "next"},
		"password, wait":   ChangePassword{Account: "/account", Action: "/p", Token: "token", Username: "ada", MinLength: 12, Wait: time.Minute},

		"device code":                  DeviceCode{Action: "/device", Token: "token", Person: "Ada", Username: "ada", OtherAccount: "/login?x"},
		"device code, wrong":           DeviceCode{Action: "/device", Token: "token", Person: "Ada", Username: "ada", OtherAccount: "/login?x", Fault: "wrong"},
		"device code, often":           DeviceCode{Action: "/device", Token: "token", Person: "Ada", Username: "ada", OtherAccount: "/login?x", Fault: "often"},
		"device confirm":               DeviceConfirm{Application: app, Code: "WDJB-MJHT", Action: "/device?user_code=WDJB-MJHT", Token: "token", Person: "Ada", Username: "ada", OtherAccount: "/login?x", Shared: []Shared{{"openid", ""}}},
		"device allowed":               DeviceDone{Application: app, Allowed: true},
		"device denied":                DeviceDone{Application: app},
		"device, refused":              Denied{Application: app, Reason: "group", Device: true, Action: "/device?user_code=WDJB-MJHT", Token: "token", Person: "Ada", Username: "ada", OtherAccount: "/login?a=b"},
		"logged out, telling":          LoggedOut{Login: "/login", Application: app, Continue: "com.example.app:/bye?state=a'b", Frames: []string{"https://x.example/bye?iss=a&sid=b"}},
		"framed logout":                FramedLogout{ConfirmLogout: ConfirmLogout{Application: app, Action: "/webman/sso/SSOOauth.cgi?a=b", Token: "token", Person: "Ada", Username: "ada", Home: "/"}},
		"message":                      Message{Text: "login", Data: "https://x.example/#status=login&access_token=a", Target: "https://x.example"},
		"message of a logout":          Message{Text: "logged_out", Data: "#status=not_login", Target: "https://x.example", Frames: []string{"https://x.example/bye"}},
		"message of a fault":           Message{Text: "directory", Fault: true, Args: []any{"Matrix"}, Detail: "d", RequestID: "r-1", Data: "#status=x", Target: "*"},
		"offer to return":              OfferReturn{Application: app, ReturnHost: "x.example", Link: "https://x.example/cb?error=a&state=b", Detail: "invalid_scope: a", RequestID: "r-1"},
		"offer to return to a program": OfferReturn{Application: app, Link: "com.example.app:/cb?error=a", Detail: "invalid_scope: a", RequestID: "r-1"},
		"offer to return by a form":    OfferReturn{Application: app, ReturnHost: "x.example", Action: "https://x.example/cb", Fields: []Field{{"error", "a"}}, RequestID: "r-1"},
		"switched":                     LoggedOut{Switched: true, Continue: "/oauth2/authorize?a=b", Frames: []string{"https://x.example/bye"}},
	}
}

func TestEveryPage(t *testing.T) {
	pages, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range pages.Locales() {
		for name, page := range examplePages() {
			t.Run(tag+" "+name, func(t *testing.T) {
				body, err := pages.Render(page, exampleView(tag))
				if err != nil {
					t.Fatal(err)
				}
				script := ""
				switch page := page.(type) {
				case FormPost:
					script = "submit"
				case FramedLogout:
					script = "framed"
				case Message:
					script = "message"
				case LoggedOut:
					if page.Continue != "" {
						script = "continue"
					}
				}
				checkPage(t, string(body), tag, script)
			})
		}
	}
}

func exampleView(tag string) View {
	return View{Base: "/realm", Where: "id.example.com", Languages: []string{tag}, Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
}

// checkPage tells what would keep people, assistive programs or the Content-Security-Policy from a page. script is the
// one that it has to have, if any.
func checkPage(t *testing.T, body, tag, script string) {
	t.Helper()
	posts := script == "submit" || strings.Contains(body, `action="https://x.example/cb"`) // to an application
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	counts, labels, inputs := map[string]int{}, map[string]bool{}, []*html.Node{}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		counts[node.Data]++
		switch node.Data {
		case "label":
			labels[attr(node, "for")] = true
		case "input":
			inputs = append(inputs, node)
		case "form":
			if attr(node, "method") != "post" {
				t.Error("a form is not posted")
			}
		case "link":
			if href := attr(node, "href"); !strings.HasPrefix(href, "/realm/assets/") {
				t.Errorf("the link %s is not below the issuer's path", href)
			}
		case "script":
			if src := attr(node, "src"); script == "" || !strings.HasPrefix(src, "/realm/assets/"+script+"-") || node.FirstChild != nil {
				t.Errorf("there is a script %q", src)
			}
		case "html":
			if attr(node, "lang") != tag {
				t.Error("the page has no language")
			}
		}
		for _, a := range node.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has %s, which the policy forbids", node.Data, a.Key)
			}
		}
	}
	if counts["h1"] != 1 || counts["title"] != 1 || counts["main"] != 1 || counts["style"]+counts["b"] != 0 {
		t.Errorf("the page has %v", counts)
	}
	if script != "" && counts["script"] != 1 {
		t.Errorf("the script %s is not there", script)
	}
	if counts["form"] > 0 && !posts && !slices.ContainsFunc(inputs, func(n *html.Node) bool { return attr(n, "name") == "csrf_token" && attr(n, "value") == "token" }) {
		t.Error("a form has no token")
	}
	for _, input := range inputs {
		visible := attr(input, "type") != "hidden" && !slices.ContainsFunc(input.Attr, func(a html.Attribute) bool { return a.Key == "hidden" })
		if visible && (!labels[attr(input, "id")] || attr(input, "autocomplete") == "") {
			t.Errorf("the field %s has no label or no autocomplete", attr(input, "name"))
		}
	}
}

func attr(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// Every text that a template or an error names is there in every language, and none is there that nothing names.
func TestTextsAreComplete(t *testing.T) {
	used := map[string]bool{}
	prefixes := []string{"scope.", "error.", "denied.", "account.detail.", "account.done.", "password.fault.", "message."}
	named := regexp.MustCompile(`{{[^}]*?\bt "([a-z_.]+)"`)
	files, err := fs.Glob(templates, "templates/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		source, err := fs.ReadFile(templates, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(source), -1) {
			used[match[1]] = true
		}
	}
	for _, translation := range translations() {
		for key := range english().texts {
			if _, ok := translation.texts[key]; !ok {
				t.Errorf("%s: the text %s is not translated", translation.tag, key)
			}
		}
		for key := range used {
			if _, ok := translation.texts[key]; !ok {
				t.Errorf("%s: there is no text %s", translation.tag, key)
			}
		}
		for key := range translation.texts {
			dynamic := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
			if _, ok := english().texts[key]; !ok || !used[key] && !dynamic {
				t.Errorf("%s: nothing uses the text %s", translation.tag, key)
			}
			if got, want := placeholders(translation.texts[key]), placeholders(english().texts[key]); !slices.Equal(got, want) {
				t.Errorf("%s: the placeholders of %s are %q, in English %q", translation.tag, key, got, want)
			}
		}
	}
}

// placeholders returns the verbs of a text in the order of the arguments that they take.
func placeholders(text string) []string {
	verbs := regexp.MustCompile(`%(\[(\d+)\])?([a-z%])`).FindAllStringSubmatch(text, -1)
	slices.SortStableFunc(verbs, func(a, b []string) int { return strings.Compare(a[2], b[2]) })
	var found []string
	for _, verb := range verbs {
		found = append(found, verb[3])
	}
	return found
}

// The words for times, which every language makes itself.
func TestTimes(t *testing.T) {
	for tag, want := range map[string][]string{
		"en": {"1 second", "90 seconds", "2 minutes", "15 minutes", "2 hours", "just now", "1 minute ago", "23 hours ago", "1 day ago", "2 months ago", "3 years ago", "5 March 2026"},
		"de": {"1 Sekunde", "90 Sekunden", "2 Minuten", "15 Minuten", "2 Stunden", "gerade eben", "vor 1 Minute", "vor 23 Stunden", "vor 1 Tag", "vor 2 Monaten", "vor 3 Jahren", "5. März 2026"},
	} {
		i := slices.IndexFunc(translations(), func(tr translation) bool { return tr.tag == tag })
		lang := translations()[i]
		var got []string
		for _, d := range []time.Duration{time.Millisecond, 90 * time.Second, 91 * time.Second, 15 * time.Minute, 91 * time.Minute} {
			got = append(got, lang.span(roundUp(d)))
		}
		for _, d := range []time.Duration{-time.Hour, 119 * time.Second, 24*time.Hour - 1, 47 * time.Hour, 70 * 24 * time.Hour, 3 * 366 * 24 * time.Hour} {
			got = append(got, lang.ago(roundDown(d)))
		}
		if got = append(got, lang.date(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC))); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", tag, got)
		}
	}
}

func TestMissingTextsFailTheRendering(t *testing.T) {
	pages, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pages.Render(Error{Text: "no such thing"}, exampleView("en")); err == nil {
		t.Error("a page without words was rendered")
	}
}

func TestAssets(t *testing.T) {
	pages, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for file, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml", "submit.js": "text/javascript; charset=utf-8", "continue.js": "text/javascript; charset=utf-8", "framed.js": "text/javascript; charset=utf-8", "message.js": "text/javascript; charset=utf-8"} {
		asset, ok := pages.Asset(pages.names[file])
		if !ok || asset.ContentType != kind || len(asset.Content) == 0 {
			t.Errorf("%s is %v of type %q", file, ok, asset.ContentType)
		}
		if strings.Contains(string(asset.Content), "url(") || strings.Contains(string(asset.Content), "@import") {
			t.Errorf("%s loads something else", file)
		}
	}
}
