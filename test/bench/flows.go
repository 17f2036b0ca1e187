package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

var authorizePath = oidc.PathAuthorization + "?" + url.Values{
	"response_type": {"code"}, "client_id": {benchClient}, "redirect_uri": {benchRedirect}, "scope": {"openid profile email"},
	"state": {"0123456789abcdef0123456789abcdef"}, "nonce": {"fedcba9876543210fedcba9876543210"},
}.Encode()

func get(path, cookie string) []byte {
	if cookie != "" {
		cookie = "Cookie: " + cookie + "\r\n"
	}
	return []byte("GET " + path + " HTTP/1.1\r\nHost: localhost:8080\r\n" + cookie + "\r\n")
}

func post(path, headers, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/x-www-form-urlencoded\r\n%sContent-Length: %d\r\n\r\n%s",
		path, headers, len(body), body)
}

// tokenRequest is a request at the token endpoint by the client of the benchmark.
func tokenRequest(pairs ...string) []byte {
	fields := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	basic := base64.StdEncoding.EncodeToString([]byte(benchClient + ":" + benchSecret))
	return post(oidc.PathToken, "Authorization: Basic "+basic+"\r\n", fields.Encode())
}

func codeRequest(code string) []byte {
	return tokenRequest("grant_type", "authorization_code", "code", code, "redirect_uri", benchRedirect)
}

// asking is a flow of one request that never changes.
func asking(request []byte) opener {
	return func(*conn) (flow, error) {
		return func(c *conn) error {
			_, err := c.ask(request, 200)
			return err
		}, nil
	}
}

// codes is a flow of token requests that redeem codes which lie in storage already.
func (r *rig) codes(ctx context.Context, count int) (opener, error) {
	requests := make([][]byte, count)
	err := together(count, func(i int) error {
		code, err := r.storeCode(ctx)
		requests[i] = codeRequest(code)
		return err
	})
	var next atomic.Int64
	return func(*conn) (flow, error) {
		return func(c *conn) error {
			i := int(next.Add(1)) - 1
			if i >= count {
				return errors.New("the codes that were stored beforehand are used up; store more")
			}
			_, err := c.ask(requests[i], 200)
			return err
		}, nil
	}, err
}

func (r *rig) storeCode(ctx context.Context) (string, error) {
	now := time.Now()
	id := store.NewID(now)
	code := id + "secret"
	return code, r.store.CreateGrant(ctx, store.Grant{
		ID: id, Client: store.Client{ID: benchClient}, Subject: benchUser, SessionID: r.session.ID, Credential: r.session.Credential, Scopes: []string{"openid", "profile", "email"},
		AuthTime: now, AuthMethods: []string{"pwd"}, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		Code: store.Code{Handle: store.HandleOf(code), RedirectURI: benchRedirect, Nonce: "nonce", ExpiresAt: now.Add(time.Hour)},
	})
}

// together calls work for 0 to count-1, 64 at a time.
func together(count int, work func(int) error) error {
	var next atomic.Int64
	errs := make(chan error, 64)
	for range cap(errs) {
		go func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				if err := work(i); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var failed error
	for range cap(errs) {
		failed = errors.Join(failed, <-errs)
	}
	return failed
}

// refreshes is a flow of refresh token requests, each with the token that the last one gave.
func (r *rig) refreshes(ctx context.Context) opener {
	return func(c *conn) (flow, error) {
		code, err := r.storeCode(ctx)
		if err != nil {
			return nil, err
		}
		answer, err := c.ask(codeRequest(code), 200)
		if err != nil {
			return nil, err
		}
		token := member(answer.body, "refresh_token")
		return func(c *conn) error {
			answer, err := c.ask(tokenRequest("grant_type", "refresh_token", "refresh_token", token), 200)
			if err != nil {
				return err
			}
			token = member(answer.body, "refresh_token")
			return nil
		}, nil
	}
}

// member returns a text member of a JSON object whose texts need no unescaping.
func member(object []byte, name string) string {
	_, after, _ := bytes.Cut(object, []byte(`"`+name+`":"`))
	value, _, _ := bytes.Cut(after, []byte(`"`))
	return string(value)
}

// authorizations is a flow of authorization requests in a browser that is logged in, each with its token request.
func (r *rig) authorizations(*conn) (flow, error) {
	request := get(authorizePath, r.cookieName+"="+r.cookie)
	return func(c *conn) error {
		answer, err := c.ask(request, 303)
		if err != nil {
			return err
		}
		_, err = c.ask(codeRequest(codeIn(answer.location)), 200)
		return err
	}, nil
}

func codeIn(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	return u.Query().Get("code")
}

// logins is a flow of complete logins: authorization request, login page, password, code, tokens, userinfo.
func (r *rig) logins(*conn) (flow, error) {
	return func(c *conn) error {
		asked, err := c.ask(get(authorizePath, ""), 303)
		if err != nil {
			return err
		}
		page, err := c.ask(get(asked.location, ""), 200)
		if err != nil {
			return err
		}
		cookies := page.cookie
		form := url.Values{"username": {benchUser}, "password": {benchPassword}, "csrf_token": {attribute(page.body, `name="csrf_token" value="`)}}
		entered, err := c.ask(post(attribute(page.body, `action="`), "Cookie: "+cookies+"\r\n", form.Encode()), 303)
		if err != nil {
			return err
		}
		returned, err := c.ask(get(entered.location, cookies+"; "+entered.cookie), 303)
		if err != nil {
			return err
		}
		tokens, err := c.ask(codeRequest(codeIn(returned.location)), 200)
		if err != nil {
			return err
		}
		_, err = c.ask([]byte("GET "+oidc.PathUserinfo+" HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer "+member(tokens.body, "access_token")+"\r\n\r\n"), 200)
		return err
	}, nil
}

// attribute returns the value of an attribute in a page, which begins after start.
func attribute(page []byte, start string) string {
	_, after, _ := strings.Cut(string(page), start)
	value, _, _ := strings.Cut(after, `"`)
	return html.UnescapeString(value)
}
