package providertest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Browser is a person's browser without a screen: it keeps cookies, follows redirects within the issuer and fills in forms.
type Browser struct {
	tb reporter
	// issuer is the URL of the issuer.
	issuer string
	client *http.Client
	jar    *cookiejar.Jar
}

// NewBrowser returns a browser with no cookies, for one test. A nil tb is for where there is none, see Start.
func (i *Issuer) NewBrowser(tb testing.TB) *Browser {
	if tb == nil {
		return newBrowser(panicking{}, i.URL, i.Client())
	}
	tb.Helper()
	return newBrowser(tb, i.URL, i.Client())
}

// NewBrowserFor returns a browser with no cookies for an issuer that runs elsewhere and that client trusts.
func NewBrowserFor(tb testing.TB, issuer string, client *http.Client) *Browser {
	tb.Helper()
	return newBrowser(tb, issuer, client)
}

func newBrowser(tb reporter, issuer string, client *http.Client) *Browser {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Browser{tb: tb, issuer: issuer, jar: jar, client: &http.Client{
		Transport:     client.Transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Page is what a browser shows, or the redirect at which it left the issuer.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   string
	// Callback is where a redirect led that left the issuer, or the form of response_mode form_post; nil while the browser is
	// still at the issuer.
	Callback *url.URL
	// Posted is what that form posts; nil for a redirect.
	Posted url.Values
	// Form is the first form, or nil.
	Form *Form
}

// Form is a form on a page.
type Form struct {
	Action string
	// Fields are the values of its inputs; Buttons the names and values of its named buttons.
	Fields, Buttons url.Values
}

// Cookies returns the cookies that the browser would send to the issuer.
func (b *Browser) Cookies() []*http.Cookie {
	u, err := url.Parse(b.issuer)
	if err != nil {
		b.tb.Fatal(err)
	}
	return b.jar.Cookies(u)
}

// SetCookies changes the browser's cookies for the issuer.
func (b *Browser) SetCookies(cookies ...*http.Cookie) {
	u, err := url.Parse(b.issuer)
	if err != nil {
		b.tb.Fatal(err)
	}
	b.jar.SetCookies(u, cookies)
}

// Get opens a URL and follows redirects within the issuer.
func (b *Browser) Get(target string) *Page {
	b.tb.Helper()
	request, err := http.NewRequestWithContext(b.tb.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		b.tb.Fatal(err)
	}
	return b.Do(request)
}

// Return follows a page that asks before it leads back to an application, as the person would who says yes. Any other page comes back as it is.
func (b *Browser) Return(p *Page) *Page {
	b.tb.Helper()
	if p.Callback != nil || p.Status < http.StatusBadRequest {
		return p
	}
	target := ""
	var posted url.Values
	if _, link, ok := strings.Cut(p.Body, `id="return" href="`); ok {
		target, _, _ = strings.Cut(link, `"`)
	} else if p.Form != nil && p.Form.Fields.Has("error") {
		target, posted = p.Form.Action, p.Form.Fields
	}
	callback, err := url.Parse(html.UnescapeString(target))
	if target == "" || err != nil {
		return p
	}
	return &Page{URL: p.URL, Status: p.Status, Header: p.Header, Body: p.Body, Callback: callback, Posted: posted}
}

// Submit sends the form of a page with its fields, some of them changed.
func (b *Browser) Submit(p *Page, changed url.Values) *Page {
	b.tb.Helper()
	if p.Form == nil {
		b.tb.Fatalf("there is no form on the page %s:\n%s", p.URL, p.Body)
	}
	fields := url.Values{}
	for _, from := range []url.Values{p.Form.Fields, changed} {
		for name, values := range from {
			fields[name] = values
		}
	}
	action, err := p.URL.Parse(p.Form.Action)
	if err != nil {
		b.tb.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.tb.Context(), http.MethodPost, action.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		b.tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(request)
}

// maxRedirects is far more than any flow takes: a loop is a failure.
const maxRedirects = 10

// Do sends a request and follows redirects within the issuer.
func (b *Browser) Do(request *http.Request) *Page {
	b.tb.Helper()
	for range maxRedirects {
		response, err := b.client.Do(request)
		if err != nil {
			b.tb.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close() // it was read to its end
		if err != nil {
			b.tb.Fatal(err)
		}
		page := &Page{URL: request.URL, Status: response.StatusCode, Header: response.Header, Body: string(body), Form: firstForm(string(body))}
		if response.StatusCode/100 != 3 {
			b.followPost(page)
			return page
		}
		location, err := response.Location()
		if err != nil {
			b.tb.Fatal(err)
		}
		if !strings.HasPrefix(location.String(), b.issuer) {
			page.Callback = location
			return page
		}
		sent := request.Header
		if request, err = http.NewRequestWithContext(b.tb.Context(), http.MethodGet, location.String(), http.NoBody); err != nil {
			b.tb.Fatal(err)
		}
		for _, own := range []string{"Accept-Language", "User-Agent"} { // of the browser, not of one request
			request.Header.Set(own, sent.Get(own))
		}
	}
	b.tb.Fatalf("more than %d redirects, the last to %s", maxRedirects, request.URL)
	return nil
}

// followPost notices the page of response_mode form_post, whose form a browser posts by itself.
func (b *Browser) followPost(page *Page) {
	if page.Form == nil || page.Status != http.StatusOK || strings.HasPrefix(page.Form.Action, "/") || strings.HasPrefix(page.Form.Action, b.issuer) {
		return
	}
	if action, err := url.Parse(page.Form.Action); err == nil && action.IsAbs() {
		page.Callback, page.Posted = action, page.Form.Fields
	}
}

// Answer returns what the application is told: the query of the callback, or what is posted to it.
func (p *Page) Answer() url.Values {
	switch {
	case p.Posted != nil:
		return p.Posted
	case p.Callback != nil:
		return p.Callback.Query()
	}
	return nil
}

// Authorize opens an authorization URL, logs in and agrees wherever it is asked to, and returns the callback with the code:
// in its query, also where it is posted.
func (b *Browser) Authorize(authorizationURL, username, password string) *url.URL {
	b.tb.Helper()
	page := b.Get(authorizationURL)
	for range maxRedirects {
		switch {
		case page.Callback != nil:
			callback := *page.Callback
			callback.RawQuery = page.Answer().Encode()
			if page.Posted == nil {
				callback.RawQuery = page.Callback.RawQuery
			}
			return &callback
		case page.Status == http.StatusOK && page.Asks("username"):
			page = b.Submit(page, url.Values{"username": {username}, "password": {password}})
		case page.Status == http.StatusOK && page.Asks("decision"):
			page = b.Submit(page, url.Values{"decision": {"allow"}})
		case b.Return(page) != page:
			page = b.Return(page)
		default:
			b.tb.Fatalf("the login stops at %s with status %d:\n%s", page.URL, page.Status, page.Body)
		}
	}
	b.tb.Fatalf("the login goes in circles, the last page is %s", page.URL)
	return nil
}

// Asks tells whether the page's form has a field or button of this name.
func (p *Page) Asks(name string) bool {
	return p.Form != nil && (p.Form.Fields.Has(name) || p.Form.Buttons.Has(name))
}

func firstForm(body string) *Form {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return nil
	}
	for node := range root.Descendants() {
		if node.Type == html.ElementNode && node.Data == "form" {
			return readForm(node)
		}
	}
	return nil
}

func readForm(form *html.Node) *Form {
	f := &Form{Action: attribute(form, "action"), Fields: url.Values{}, Buttons: url.Values{}}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		switch {
		case node.Type != html.ElementNode || name == "":
		case node.Data == "input":
			f.Fields.Add(name, attribute(node, "value"))
		case node.Data == "button":
			f.Buttons.Add(name, attribute(node, "value"))
		}
	}
	return f
}

func attribute(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
