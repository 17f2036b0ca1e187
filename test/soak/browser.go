package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/test/page"
)

// browser is a person's browser: it keeps cookies, follows redirects and fills in the login form.
type browser struct {
	caller
	issuer, username string
}

func (s *site) newBrowser(username string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := s.httpClient()
	c.Jar = jar
	return &browser{caller{c, s.ledger}, s.issuer, username}, nil
}

// close ends the browser's connections.
func (b *browser) close() { b.client.CloseIdleConnections() }

// maxSteps is far more than any login takes: a loop is a failure.
const maxSteps = 8

// authorize opens an authorization URL, logs in where it is asked to, and returns what the application is told.
func (b *browser) authorize(ctx context.Context, target string) (url.Values, error) {
	a, err := b.call(ctx, "authorize", http.MethodGet, target, nil, nil, http.StatusFound, http.StatusSeeOther)
	for range maxSteps {
		switch {
		case err != nil:
			return nil, err
		case a.location == nil:
			return nil, b.fail("the login stops without a redirect")
		case strings.HasPrefix(a.location.String(), callback):
			if said := a.location.Query().Get("error"); said != "" {
				return nil, b.fail("the application is told " + said)
			}
			return a.location.Query(), nil
		case a.location.Path == "/login":
			a, err = b.logIn(ctx, a.location.String())
		default:
			a, err = b.call(ctx, "authorize", http.MethodGet, a.location.String(), nil, nil, http.StatusFound, http.StatusSeeOther)
		}
	}
	return nil, b.fail("the login goes in circles")
}

// fail records a login that no single call made fail.
func (b *browser) fail(message string) error {
	err := errors.New(message)
	b.ledger.call("authorize", time.Now(), err)
	return err
}

// logIn opens the login page and sends its form.
func (b *browser) logIn(ctx context.Context, target string) (answer, error) {
	shown, err := b.call(ctx, "login page", http.MethodGet, target, nil, nil, http.StatusOK)
	if err != nil {
		return shown, err
	}
	form := page.HiddenFields(shown.body)
	form.Set("username", b.username)
	form.Set("password", loginPassword)
	a, err := b.call(ctx, "login", http.MethodPost, target, form, func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}, http.StatusFound, http.StatusSeeOther)
	if err == nil && a.location == nil {
		err = fmt.Errorf("status %d without a location", a.status)
	}
	return a, err
}
