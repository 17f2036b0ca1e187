package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// stream is what was written to a log.
type stream struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *stream) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(data)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// auditRecord is a line of the audit log.
type auditRecord map[string]any

// records returns the records of an event, or all of them.
func (s *stream) records(t *testing.T, event string) []auditRecord {
	t.Helper()
	var all []auditRecord
	for line := range strings.Lines(s.String()) {
		record := auditRecord{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if event == "" || record["event"] == event {
			all = append(all, record)
		}
	}
	return all
}

func withAudit(s *stream) providertest.Option {
	return providertest.WithOptions(func(o *provider.Options) { o.Audit = provider.NewAuditLogger(s) })
}

func TestAudit(t *testing.T) {
	audit := &stream{}
	issuer, app := newIssuer(t, withAudit(audit))
	asking := appClient()
	asking.ClientID, asking.Consent, asking.GrantTypes = "asking", registration.ConsentAlways, []string{registration.GrantCode, registration.GrantRefreshToken}
	issuer.AddClient(asking)
	browser := issuer.NewBrowser(t)
	login := browser.Get(authorizeURL(issuer))
	browser.Submit(login, url.Values{"username": {"ada"}, "password": {"not-this-one"}})
	browser.Submit(login, url.Values{"username": {"my-password-by-mistake"}, "password": {"ada"}})
	code := browser.Authorize(authorizeURL(issuer), "ada", password).Query().Get("code")
	exchange(t, issuer, code)
	exchange(t, issuer, code, "client_secret", "wrong")
	exchange(t, issuer, code, "client_id", "somebody-typed-this")
	exchange(t, issuer, code)
	consent := browser.Get(authorizeURL(issuer, "client_id", "asking", "scope", "openid email"))
	browser.Submit(consent, url.Values{"decision": {"deny"}})
	code = browser.Submit(consent, url.Values{"decision": {"allow"}}).Callback.Query().Get("code")
	refresh := exchange(t, issuer, code, "client_id", "asking", "client_secret", "secret-of-asking").text("refresh_token")
	for range 2 {
		issuer.Clock.Advance(time.Minute)
		exchange(t, issuer, "", "grant_type", "refresh_token", "refresh_token", refresh, "client_id", "asking", "client_secret", "secret-of-asking")
	}
	browser.Submit(browser.Get(issuer.Endpoint(oidc.PathLogout)), nil)

	all := audit.records(t, "")
	var events []string
	for _, record := range all {
		events = append(events, record["event"].(string))
		if record["request_id"] == "" || record["address"] != "127.0.0.1" || record["level"] != nil || record["msg"] != nil {
			t.Errorf("the record is %v", record)
		}
		if _, err := time.Parse(time.RFC3339Nano, record["time"].(string)); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"login.failed", "login.failed", "login.succeeded", "token.issued", "client.rejected", "client.rejected", "token.reused",
		"consent.denied", "consent.granted", "token.issued", "token.issued", "token.reused", "logout",
	}
	if !slices.Equal(events, want) {
		t.Fatalf("the events are\n%v, not\n%v", events, want)
	}
	session := all[2]["session_id"]
	for i, attributes := range map[int]auditRecord{
		0:  {"username": "ada", "sub": "sub-ada", "client_id": "app"},
		1:  {"username": nil, "sub": nil, "client_id": "app"},
		2:  {"username": "ada", "sub": "sub-ada", "amr": []any{"pwd"}},
		3:  {"client_id": app.ClientID, "grant_type": "authorization_code", "scope": "openid", "sub": "sub-ada", "session_id": session},
		4:  {"client_id": "app", "method": "client_secret_post"},
		5:  {"client_id": nil, "method": "client_secret_post"},
		6:  {"client_id": "app", "kind": "authorization_code", "sub": "sub-ada", "session_id": session, "grant_id": all[3]["grant_id"]},
		7:  {"client_id": "asking", "sub": "sub-ada", "session_id": session, "scope": "openid email"},
		8:  {"client_id": "asking", "sub": "sub-ada", "session_id": session, "scope": "openid email"},
		10: {"client_id": "asking", "grant_type": "refresh_token", "grant_id": all[9]["grant_id"]},
		11: {"client_id": "asking", "kind": "refresh_token", "grant_id": all[9]["grant_id"]},
		12: {"sub": "sub-ada", "session_id": session},
	} {
		for name, value := range attributes {
			got := all[i][name]
			if list, ok := value.([]any); ok {
				if gotList, _ := got.([]any); !slices.Equal(gotList, list) {
					t.Errorf("record %d has %s %v, not %v", i, name, got, value)
				}
			} else if got != value {
				t.Errorf("record %d has %s %v, not %v", i, name, got, value)
			}
		}
	}
}

// Somebody else's login in the same browser ends the session before.
func TestAuditOfAReplacedSession(t *testing.T) {
	audit := &stream{}
	issuer, _ := newIssuer(t, withAudit(audit))
	issuer.AddUser(registration.User{Username: "bob"}, password)
	browser := issuer.NewBrowser(t)
	browser.Authorize(authorizeURL(issuer), "ada", password)
	browser.Authorize(authorizeURL(issuer, "prompt", "login"), "bob", password)
	ended := audit.records(t, "session.ended")
	if len(ended) != 1 || ended[0]["reason"] != "replaced" || ended[0]["sub"] != "sub-ada" || ended[0]["session_id"] != audit.records(t, "login.succeeded")[0]["session_id"] {
		t.Errorf("the records are %v", ended)
	}
}

// The address of a record is the browser's, not that of the proxy before the provider.
func TestAuditKnowsProxies(t *testing.T) {
	audit := &stream{}
	trusting := providertest.WithOptions(func(o *provider.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	issuer, _ := newIssuer(t, withAudit(audit), trusting)
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"app"}, "client_secret": {"wrong"}}
	send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathToken), form, "X-Forwarded-For", "198.51.100.1, 203.0.113.7"))
	if records := audit.records(t, "client.rejected"); len(records) != 1 || records[0]["address"] != "203.0.113.7" {
		t.Errorf("the records are %v", records)
	}
}

// bounded tells whether so many records of one event may be written since a time, which goes on while a test runs.
func bounded(records int, since time.Time) bool {
	return records >= 100 && records <= 100+10*int(time.Since(since)/time.Second+1)
}

// Strangers cannot fill a disk with records.
func TestAuditOfAFlood(t *testing.T) {
	audit := &stream{}
	issuer, _ := newIssuer(t, withAudit(audit))
	since := time.Now()
	for range 150 {
		exchange(t, issuer, "code", "client_secret", "wrong")
	}
	records := audit.records(t, "client.rejected")
	if !bounded(len(records), since) {
		t.Errorf("of 150 records %d are written", len(records))
	}
	issuer.Clock.Advance(time.Minute)
	exchange(t, issuer, "code", "client_secret", "wrong")
	counted := float64(0)
	for _, record := range audit.records(t, "client.rejected") {
		suppressed, _ := record["suppressed"].(float64)
		counted += 1 + suppressed
	}
	if counted != 151 {
		t.Errorf("the records tell of %v", counted)
	}
}

// Nor can somebody with an account, by asking again and again for what needs no password.
func TestAuditOfAFloodByOnePerson(t *testing.T) {
	audit := &stream{}
	issuer := groupIssuer(t, withAudit(audit))
	open := appClient()
	open.ClientID, open.Consent = "open", registration.ConsentAlways
	issuer.AddClient(open)
	browser := issuer.NewBrowser(t)
	loginPage(t, issuer, browser)
	since := time.Now()
	for range 150 {
		browser.Get(authorizeURL(issuer))
		page := browser.Get(authorizeURL(issuer, "client_id", "open"))
		browser.Submit(page, url.Values{"decision": {"deny"}})
		browser.Submit(page, url.Values{"decision": {"allow"}})
	}
	for _, event := range []string{"access.denied", "consent.denied", "consent.granted"} {
		if n := len(audit.records(t, event)); !bounded(n, since) {
			t.Errorf("of 150 records of %s %d are written", event, n)
		}
	}
	if text := admin(t, issuer, "/metrics").Body.String(); !strings.Contains(text, `oidc_provider_security_events_total{event="consent.denied"} 150`) {
		t.Error("the metrics do not count all of them")
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAuditThatCannotBeWritten(t *testing.T) {
	log := &stream{}
	issuer, _ := newIssuer(t, providertest.WithOptions(func(o *provider.Options) {
		o.Audit, o.Logger = provider.NewAuditLogger(fullDisk{}), slog.New(slog.NewJSONHandler(log, nil))
	}))
	exchange(t, issuer, newCode(t, issuer))
	if text := admin(t, issuer, "/metrics").Body.String(); !strings.Contains(text, "oidc_provider_audit_errors_total 2\n") {
		t.Error("the lost records are not counted")
	}
	if !strings.Contains(log.String(), "no space left on device") {
		t.Errorf("the log says %s", log)
	}
}

func TestAuditOfKeys(t *testing.T) {
	audit := &stream{}
	issuer, _ := newIssuer(t, withAudit(audit))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { issuer.Provider.RunKeyAudit(ctx); close(ended) }()
	wait := func(n int) []auditRecord {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			if records := audit.records(t, "keys.changed"); len(records) >= n {
				return records
			}
			if time.Now().After(deadline) {
				t.Fatalf("there are no %d records:\n%s", n, audit)
			}
		}
	}
	first := wait(1)[0]
	if first["alg"] != "ES256" || first["phase"] != "Active" || first["previous_phase"] != "" || first["kid"] == "" {
		t.Errorf("the key at the start is %v", first)
	}
	kid := issuer.AddKey("RS256", issuer.Clock.Now())
	if added := wait(2)[1]; added["kid"] != kid || added["alg"] != "RS256" || added["phase"] != "Active" {
		t.Errorf("the second key is %v", added)
	}
	issuer.Registry.Remove(registration.KindSigningKey, kid)
	if gone := wait(3)[2]; gone["kid"] != kid || gone["phase"] != "Gone" || gone["previous_phase"] != "Active" {
		t.Errorf("the key that is gone is %v", gone)
	}
	cancel()
	<-ended
}

// Whatever the provider writes of logins, tokens and errors, no secret is in it.
func TestNothingWrittenHoldsASecret(t *testing.T) {
	log, audit := &stream{}, &stream{}
	issuer, _ := newIssuer(t, withAudit(audit), providertest.WithOptions(func(o *provider.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}))
	client := appClient()
	client.GrantTypes = []string{registration.GrantCode, registration.GrantRefreshToken}
	issuer.AddClient(client)
	secrets := map[string]string{"password": password, "client secret": "secret-of-app", "wrong password": "wr0ng-passw0rd", "wrong secret": "wr0ng-secret"}
	browser := issuer.NewBrowser(t)
	browser.Submit(browser.Get(authorizeURL(issuer)), url.Values{"username": {"wr0ng-passw0rd"}, "password": {"wr0ng-passw0rd"}})
	callbackURL := browser.Authorize(authorizeURL(issuer), "ada", password)
	for _, cookie := range browser.Cookies() {
		secrets["cookie "+cookie.Name] = cookie.Value
	}
	code := callbackURL.Query().Get("code")
	secrets["code"] = code
	tokens := exchange(t, issuer, code)
	for range 3 {
		for _, name := range []string{"access_token", "id_token", "refresh_token"} {
			if value := tokens.text(name); value != "" {
				secrets[name+" "+value[len(value)-4:]] = value
			}
		}
		userinfo(t, issuer, tokens.text("access_token"))
		tokens = exchange(t, issuer, "", "grant_type", "refresh_token", "refresh_token", tokens.text("refresh_token"))
	}
	get(t, issuer, oidc.PathUserinfo+"?access_token="+tokens.text("access_token"))
	exchange(t, issuer, code, "client_secret", "wr0ng-secret")
	send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathToken), url.Values{"code": {code}}, "Authorization", "Basic wr0ng-secret"))
	exchange(t, issuer, code)
	get(t, issuer, oidc.PathLogout+"?id_token_hint="+tokens.text("id_token"))
	get(t, issuer, "/"+code)
	secretsOfOtherRequests(t, issuer, secrets)
	if records := audit.records(t, "client.rejected"); len(records) < 3 || records[len(records)-1]["client_id"] != "signer" || records[len(records)-1]["method"] != "private_key_jwt" {
		t.Errorf("the clients that were rejected are %v", records)
	}
	if err := issuer.Store.Close(); err != nil {
		t.Fatal(err)
	}
	exchange(t, issuer, code)
	get(t, issuer, oidc.PathAuthorization+"?"+strings.SplitN(authorizeURL(issuer, "nonce", code), "?", 2)[1])

	metrics := admin(t, issuer, "/metrics").Body.String()
	for name, text := range map[string]string{"log": log.String(), "audit log": audit.String(), "metrics": metrics} {
		if len(text) < 500 {
			t.Errorf("the %s is nearly empty: %s", name, text)
		}
		for what, secret := range secrets {
			if len(secret) < 8 || strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
				t.Errorf("the %s holds the %s %s", name, what, secret)
			}
		}
	}
}

// secretsOfOtherRequests sends what a plain login does not, and adds what is secret in it.
func secretsOfOtherRequests(t *testing.T, issuer *providertest.Issuer, secrets map[string]string) {
	t.Helper()
	post := func(path string, form ...string) answer {
		t.Helper()
		fields := url.Values{"client_id": {"app"}, "client_secret": {"secret-of-app"}}
		for i := 0; i+1 < len(form); i += 2 {
			fields.Set(form[i], form[i+1])
		}
		return send(t, issuer, newRequest(t, http.MethodPost, issuer.Endpoint(path), fields))
	}
	issuer.AddClient(registration.Client{ClientID: "job", Scope: "reports", GrantTypes: []string{registration.GrantClientCredentials}, AccessTokenFormat: registration.FormatJWT})
	token := post(oidc.PathToken, "client_id", "job", "client_secret", "secret-of-job", "grant_type", "client_credentials").text("access_token")
	secrets["JWT access token"], secrets["secret of job"] = token, "secret-of-job"
	post(oidc.PathIntrospection, "token", token)
	post(oidc.PathRevocation, "client_id", "job", "client_secret", "secret-of-job", "token", token)
	pushed := post(oidc.PathPushedRequest, "response_type", "code", "redirect_uri", callback, "scope", "openid").text("request_uri")
	secrets["pushed request"] = pushed
	browser := issuer.NewBrowser(t)
	login := browser.Get(issuer.Endpoint(oidc.PathAuthorization) + "?client_id=app&request_uri=" + url.QueryEscape(pushed))
	secrets["form token"] = login.Form.Fields.Get("csrf_token")
	browser.Submit(login, url.Values{"username": {"ada"}, "password": {password}})
	key := newSigningKey(t, "k1")
	addSigner(t, issuer, signingClient(t, key))
	assertion := key.sign(t, assertionClaims(issuer), nil)
	secrets["assertion"] = assertion
	asserted(t, issuer, assertion)
	asserted(t, issuer, assertion)
}

// What a record costs, on the path of every token.
func BenchmarkAudit(b *testing.B) {
	audit := provider.NewAuditLogger(io.Discard)
	for b.Loop() {
		audit.LogAttrs(b.Context(), slog.LevelInfo, "token.issued", slog.String("client_id", "app"), slog.String("grant_type", "refresh_token"),
			slog.String("scope", "openid profile"), slog.String("sub", "6jxy6fpwisnaej6afqcw27fpsz"), slog.String("session_id", "6jxy6fpwisnaej6afqcw27fpsz"),
			slog.String("grant_id", "6jxy6fpwisnaej6afqcw27fpsz"), slog.String("request_id", "fk2h7q3zra-1c"), slog.String("address", "203.0.113.7"))
	}
}
