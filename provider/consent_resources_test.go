package provider_test

import (
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// resourceIssuer has a client that may ask for tokens for two services.
func resourceIssuer(t *testing.T, resources ...string) *providertest.Issuer {
	t.Helper()
	issuer, _ := newIssuer(t)
	client := appClient()
	client.Consent, client.Resources = registration.ConsentRemember, resources
	issuer.AddClient(client)
	return issuer
}

const resourcesText = "Access in your name to these services"

// RFC 8707 4: the page names the services at which the client wants to act for the person, and no others. A client that names
// none can name any of its own later, at the token endpoint.
func TestConsentPageNamesResources(t *testing.T) {
	for name, c := range map[string]struct {
		registered []string
		asked      string
		names      []string
		hides      []string
	}{
		"one of two":   {[]string{apiOne, apiTwo}, apiOne, []string{resourcesText, apiOne}, []string{apiTwo}},
		"none of two":  {[]string{apiOne, apiTwo}, "", []string{resourcesText, apiOne, apiTwo}, nil},
		"none of none": {nil, "", nil, []string{resourcesText}},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := resourceIssuer(t, c.registered...)
			body := html.UnescapeString(loginPage(t, issuer, issuer.NewBrowser(t), "resource", c.asked).Body)
			for _, text := range c.names {
				if !strings.Contains(body, text) {
					t.Errorf("the page does not say %q:\n%s", text, body)
				}
			}
			for _, text := range c.hides {
				if strings.Contains(body, ">"+text) {
					t.Errorf("the page says %q:\n%s", text, body)
				}
			}
		})
	}
}

// A yes is for the services that the page has named: it is asked again when there are more, and for nothing that was agreed to.
func TestConsentToResources(t *testing.T) {
	for name, c := range map[string]struct {
		before, then string
		registered   []string // when the client asks again; nil: as before
		asked        bool
	}{
		"the same":                         {apiOne, apiOne, nil, false},
		"another":                          {apiOne, apiTwo, nil, true},
		"all after one":                    {apiOne, "", nil, true},
		"one after all":                    {"", apiTwo, nil, false},
		"all again":                        {"", "", nil, false},
		"all, of which there are more now": {"", "", []string{apiOne, apiTwo, apiThree}, true},
		"all, of which there are less now": {"", "", []string{apiOne}, false},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := resourceIssuer(t, apiOne, apiTwo)
			browser := issuer.NewBrowser(t)
			browser.Submit(loginPage(t, issuer, browser, "resource", c.before), url.Values{"decision": {"allow"}})
			if c.registered != nil {
				client := appClient()
				client.Consent, client.Resources = registration.ConsentRemember, c.registered
				issuer.AddClient(client)
			}
			page := browser.Get(authorizeURL(issuer, "resource", c.then))
			if page.Asks("decision") != c.asked || (page.Callback == nil) != c.asked {
				t.Fatalf("asked: %v, callback %v", page.Asks("decision"), page.Callback)
			}
			if none := browser.Get(authorizeURL(issuer, "resource", c.then, "prompt", "none")).Answer(); (none.Get("error") == "consent_required") != c.asked {
				t.Errorf("with prompt none: %v", none)
			}
			if own := html.UnescapeString(browser.Get(issuer.Endpoint("/account/applications")).Body); !strings.Contains(own, resourcesText) || !strings.Contains(own, apiOne) {
				t.Errorf("the account does not tell of it:\n%s", own)
			}
		})
	}
}

// The answer to a page is none to another one that names more.
func TestConsentIsForTheResourcesThatWereShown(t *testing.T) {
	issuer := resourceIssuer(t, apiOne)
	browser := issuer.NewBrowser(t)
	page := loginPage(t, issuer, browser)
	client := appClient()
	client.Consent, client.Resources = registration.ConsentRemember, []string{apiOne, apiTwo}
	issuer.AddClient(client)
	if answered := browser.Submit(page, url.Values{"decision": {"allow"}}); answered.Callback != nil {
		t.Errorf("an answer to the old page leads to %s", answered.Callback)
	}
}

// The page that lets a device in names them, too, and what is agreed to there is remembered like anything else.
func TestDeviceConsentNamesResources(t *testing.T) {
	issuer, rp := newDevice(t, func(c *registration.Client) {
		c.Consent, c.Resources = registration.ConsentRemember, []string{apiOne, apiTwo}
	})
	browser, page := openDevice(t, issuer, rp.askForCodes().VerificationURIComplete, "ada")
	if body := html.UnescapeString(page.Body); !strings.Contains(body, resourcesText) || !strings.Contains(body, apiTwo) {
		t.Errorf("the page does not name the services:\n%s", body)
	}
	decide(browser, page, "allow")
	if own := html.UnescapeString(browser.Get(issuer.Endpoint("/account/applications")).Body); !strings.Contains(own, apiTwo) {
		t.Errorf("the account does not tell of it:\n%s", own)
	}
}
