package provider_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/providertest"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// signingKey is a key of a client, made by a library that is not ours.
type signingKey struct {
	private   crypto.Signer
	algorithm jose.SignatureAlgorithm
	kid       string
}

func newSigningKey(t testing.TB, kid string) signingKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signingKey{private, jose.ES256, kid}
}

func (k signingKey) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid}
}

// jwks returns the key set that a client registers or publishes.
func jwks(t testing.TB, keys ...signingKey) json.RawMessage {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.public())
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sign returns claims as a JWT with headers added.
func (k signingKey) sign(t testing.TB, claims map[string]any, headers map[string]any) string {
	t.Helper()
	return signWith(t, k.algorithm, k.private, k.kid, claims, headers)
}

func signWith(t testing.TB, algorithm jose.SignatureAlgorithm, key any, kid string, claims, headers map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range headers {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// changed returns claims with others in their place; nil takes one away.
func changed(claims map[string]any, changes map[string]any) map[string]any {
	all := maps.Clone(claims)
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

func newJTI() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func assertionClaims(issuer *providertest.Issuer) map[string]any {
	now := issuer.Clock.Now()
	return map[string]any{
		"iss": "signer", "sub": "signer", "aud": issuer.URL, "jti": newJTI(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
}

func signingClient(t testing.TB, keys ...signingKey) registration.Client {
	c := workerClient()
	c.ClientID, c.TokenEndpointAuthMethod = "signer", registration.AuthMethodPrivateKeyJWT
	if len(keys) > 0 {
		c.JWKS = jwks(t, keys...)
	}
	return c
}

// asserted asks for a token of client_credentials with an assertion.
func asserted(t testing.TB, issuer *providertest.Issuer, assertion string, added ...string) answer {
	t.Helper()
	return post(t, issuer, oidc.PathToken, append([]string{
		"grant_type", "client_credentials", "client_assertion_type", oidc.AssertionTypeJWT, "client_assertion", assertion,
	}, added...)...)
}

// addSigner registers a client that signs. providertest gives a secret to every client that is not public.
func addSigner(t testing.TB, issuer *providertest.Issuer, c registration.Client) {
	t.Helper()
	document, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := issuer.Registry.Upsert(registration.KindClient, c.ClientID, document); err != nil {
		t.Fatal(err)
	}
}

// RFC 7523 3, OpenID Connect Core 9: what a client assertion must say.
func TestClientAssertion(t *testing.T) {
	issuer, _ := newIssuer(t)
	key := newSigningKey(t, "k1")
	addSigner(t, issuer, signingClient(t, key, newSigningKey(t, "k2")))
	now := issuer.Clock.Now()
	in := func(d time.Duration) any { return now.Add(d).Unix() }
	token := issuer.Endpoint(oidc.PathToken)
	for name, c := range map[string]struct {
		claims map[string]any
		header map[string]any
		says   string // empty: it is good
	}{
		"the issuer is the audience":                  {},
		"in a list (RFC 7519 4.1.3)":                  {claims: map[string]any{"aud": []string{issuer.URL}}},
		"the token endpoint is the audience":          {claims: map[string]any{"aud": token}},
		"both are":                                    {claims: map[string]any{"aud": []string{issuer.URL, token}}},
		"typ JWT":                                     {header: map[string]any{"typ": "JWT"}},
		"typ client-authentication+jwt":               {header: map[string]any{"typ": "client-authentication+jwt"}},
		"no iat (3, 6: optional)":                     {claims: map[string]any{"iat": nil}},
		"expired within the skew":                     {claims: map[string]any{"exp": in(-20 * time.Second)}},
		"issued within the skew":                      {claims: map[string]any{"iat": in(20 * time.Second), "nbf": in(20 * time.Second)}},
		"it is of another client (3, 1)":              {claims: map[string]any{"iss": "app"}, says: "iss and sub"},
		"no issuer (3, 1)":                            {claims: map[string]any{"iss": nil}, says: "iss and sub"},
		"no subject (3, 2)":                           {claims: map[string]any{"sub": nil}, says: "unknown"},
		"the subject is another client (3, 2)":        {claims: map[string]any{"sub": "app"}, says: "not registered for private_key_jwt"},
		"the subject is nobody (3, 2)":                {claims: map[string]any{"sub": "nobody"}, says: "unknown"},
		"no audience (3, 3)":                          {claims: map[string]any{"aud": nil}, says: "aud"},
		"an empty audience (3, 3)":                    {claims: map[string]any{"aud": []string{}}, says: "aud"},
		"another audience (3, 3)":                     {claims: map[string]any{"aud": "https://other.example.com"}, says: "aud"},
		"the issuer with a slash (3, 3)":              {claims: map[string]any{"aud": issuer.URL + "/"}, says: "aud"},
		"also for another provider":                   {claims: map[string]any{"aud": []string{issuer.URL, "https://other.example.com"}}, says: "aud"},
		"the audience is another endpoint":            {claims: map[string]any{"aud": issuer.Endpoint(oidc.PathUserinfo)}, says: "aud"},
		"no exp (3, 4)":                               {claims: map[string]any{"exp": nil}, says: "exp"},
		"expired (3, 4)":                              {claims: map[string]any{"exp": in(-time.Minute)}, says: "expired"},
		"good for too long (3, 4)":                    {claims: map[string]any{"exp": in(2 * time.Hour)}, says: "within one hour"},
		"good for ever (3, 4)":                        {claims: map[string]any{"exp": 1e17}, says: "within one hour"},
		"exp is a text":                               {claims: map[string]any{"exp": "soon"}, says: "unknown"}, // cannot be read at all
		"not good yet (3, 5)":                         {claims: map[string]any{"nbf": in(time.Minute)}, says: "nbf"},
		"issued in the future (3, 6)":                 {claims: map[string]any{"iat": in(time.Minute)}, says: "iat"},
		"no jti (Core 9)":                             {claims: map[string]any{"jti": nil}, says: "jti"},
		"a very long jti":                             {claims: map[string]any{"jti": strings.Repeat("a", 600)}, says: "jti"},
		"an ID token's sister: at+jwt (RFC 8725)":     {header: map[string]any{"typ": "at+jwt"}, says: "not signed"},
		"a DPoP proof":                                {header: map[string]any{"typ": "dpop+jwt"}, says: "not signed"},
		"a header that must be understood (RFC 7515)": {header: map[string]any{"crit": []string{"exp"}, "exp": 1}, says: "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			got := asserted(t, issuer, key.sign(t, changed(assertionClaims(issuer), c.claims), c.header))
			if c.says == "" {
				if got.status != http.StatusOK {
					t.Fatalf("answers %d %s", got.status, got.raw)
				}
				return
			}
			if got.status != http.StatusUnauthorized || got.text("error") != "invalid_client" || !strings.Contains(got.text("error_description"), c.says) {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}

// FAPI 2.0 Security Profile section 5.3.2.1: for a client that is registered for it, the audience is the issuer as a text.
func TestSoleAudienceOfAssertions(t *testing.T) {
	issuer, _ := newIssuer(t)
	key := newSigningKey(t, "k1")
	for registered, works := range map[string]map[string]bool{
		"":                          {"issuer": true, "list": true, "token endpoint": true, "both": true, "other": false},
		registration.AudienceIssuer: {"issuer": true, "list": false, "token endpoint": false, "both": false, "other": false},
	} {
		client := signingClient(t, key)
		client.ClientAssertionAudience = registered
		addSigner(t, issuer, client)
		for name, aud := range map[string]any{
			"issuer": issuer.URL, "list": []string{issuer.URL}, "token endpoint": issuer.Endpoint(oidc.PathToken),
			"both": []string{issuer.URL, issuer.Endpoint(oidc.PathToken)}, "other": "https://other.example",
		} {
			got := asserted(t, issuer, key.sign(t, changed(assertionClaims(issuer), map[string]any{"aud": aud}), nil))
			if (got.status == http.StatusOK) != works[name] || !works[name] && got.text("error") != "invalid_client" {
				t.Errorf("registered for %q, %s: %d %s", registered, name, got.status, got.raw)
			}
		}
	}
}

// RFC 7515 10.7, RFC 8725 3.1 and 3.2: the key decides about the algorithm, and the header about nothing.
func TestClientAssertionSignature(t *testing.T) {
	issuer, _ := newIssuer(t)
	first, second, stranger := newSigningKey(t, "k1"), newSigningKey(t, "k2"), newSigningKey(t, "k1")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	third := signingKey{rsaKey, jose.PS256, "k3"}
	addSigner(t, issuer, signingClient(t, first, second, third))
	claims := func() map[string]any { return assertionClaims(issuer) }
	publicJWK, err := json.Marshal(first.public())
	if err != nil {
		t.Fatal(err)
	}
	without := func(k signingKey) signingKey { k.kid = ""; return k }
	strangerJWK := stranger.public()
	segments := strings.Split(first.sign(t, claims(), nil), ".")
	for name, c := range map[string]struct {
		assertion string
		good      bool
	}{
		"the first key":                          {first.sign(t, claims(), nil), true},
		"the second key":                         {second.sign(t, claims(), nil), true},
		"an RSA key":                             {third.sign(t, claims(), nil), true},
		"an RSA key, other padding":              {signWith(t, jose.RS256, rsaKey, "k3", claims(), nil), true},
		"no kid, the second key":                 {without(second).sign(t, claims(), nil), true},
		"a stranger's key under our kid":         {stranger.sign(t, claims(), nil), false},
		"a stranger's key without kid":           {without(stranger).sign(t, claims(), nil), false},
		"the kid of another key":                 {signingKey{second.private, second.algorithm, "k1"}.sign(t, claims(), nil), false},
		"an unknown kid":                         {signingKey{first.private, first.algorithm, "k9"}.sign(t, claims(), nil), false},
		"a kid that is a path":                   {signingKey{first.private, first.algorithm, "../../dev/null"}.sign(t, claims(), nil), false},
		"the stranger's key in the header (jwk)": {stranger.sign(t, claims(), map[string]any{"jwk": strangerJWK}), false},
		"where the stranger's key is (jku)":      {stranger.sign(t, claims(), map[string]any{"jku": "https://evil.example/jwks"}), false},
		"HS256 with the public key":              {signWith(t, jose.HS256, publicJWK, "k1", claims(), nil), false},
		"none":                                   {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + segments[1] + ".", false},
		"no signature":                           {segments[0] + "." + segments[1] + ".", false},
		"no JWT":                                 {"nonsense", false},
		"changed":                                {segments[0] + "." + strings.Split(first.sign(t, changed(claims(), map[string]any{"exp": 1}), nil), ".")[1] + "." + segments[2], false},
		"a huge one":                             {first.sign(t, changed(claims(), map[string]any{"a": strings.Repeat("a", 9<<10)}), nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			got := asserted(t, issuer, c.assertion)
			if c.good && got.status != http.StatusOK || !c.good && (got.status != http.StatusUnauthorized || got.text("error") != "invalid_client") {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this version of Go makes no weak keys:", err)
	}
	addSigner(t, issuer, signingClient(t, signingKey{weak, jose.RS256, "weak"}))
	if got := asserted(t, issuer, signingKey{weak, jose.RS256, "weak"}.sign(t, claims(), nil)); got.status != http.StatusUnauthorized {
		t.Errorf("an RSA key of 1024 bits (RFC 7518 3.3) answers %d", got.status)
	}
}

// OpenID Connect Core 9, RFC 7523 3: an assertion is good once, also at another replica and another endpoint.
func TestClientAssertionIsGoodOnce(t *testing.T) {
	issuer, _ := newIssuer(t)
	replica, _ := newIssuer(t, providertest.WithStore(issuer.Store))
	key := newSigningKey(t, "k1")
	for _, i := range []*providertest.Issuer{issuer, replica} {
		addSigner(t, i, signingClient(t, key))
	}
	claims := assertionClaims(issuer)
	claims["exp"] = issuer.Clock.Now().Add(59 * time.Minute).Unix()
	assertion := key.sign(t, claims, nil)
	var wait sync.WaitGroup
	statuses := make([]int, 8)
	for n := range statuses {
		wait.Go(func() { statuses[n] = asserted(t, issuer, assertion).status })
	}
	wait.Wait()
	good := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			good++
		}
	}
	if good != 1 {
		t.Errorf("of 8 at once %d were good: %v", good, statuses)
	}
	replica.Clock.Advance(time.Second)
	claims["aud"] = replica.URL
	if got := asserted(t, replica, key.sign(t, claims, nil)); got.text("error") != "invalid_client" || !strings.Contains(got.raw, "used before") {
		t.Errorf("at a replica: %d %s", got.status, got.raw)
	}
	issuer.Clock.Advance(58 * time.Minute)
	if _, err := issuer.Provider.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := asserted(t, issuer, assertion); got.status != http.StatusUnauthorized || !strings.Contains(got.raw, "used before") {
		t.Errorf("just before it expires: %d %s", got.status, got.raw)
	}
	issuer.Clock.Advance(2 * time.Minute)
	if got := asserted(t, issuer, assertion); got.status != http.StatusUnauthorized || !strings.Contains(got.raw, "expired") {
		t.Errorf("after it has expired: %d %s", got.status, got.raw)
	}
}

// RFC 6749 2.3: one method a request, and only the one that is registered.
func TestClientAssertionAndOtherMethods(t *testing.T) {
	issuer, _ := newIssuer(t)
	key := newSigningKey(t, "k1")
	addSigner(t, issuer, signingClient(t, key))
	issuer.AddClient(workerClient())
	sign := func(changes map[string]any) string {
		return key.sign(t, changed(assertionClaims(issuer), changes), nil)
	}
	const grant, kind, assertion = "grant_type", "client_assertion_type", "client_assertion"
	for name, c := range map[string]struct {
		header string
		form   []string
		status int
		err    string
	}{
		"with its client_id":           {"", []string{kind, oidc.AssertionTypeJWT, assertion, sign(nil), "client_id", "signer"}, 200, ""},
		"with another client_id":       {"", []string{kind, oidc.AssertionTypeJWT, assertion, sign(nil), "client_id", "worker"}, 401, "invalid_client"},
		"with a secret":                {"", []string{kind, oidc.AssertionTypeJWT, assertion, sign(nil), "client_secret", "s"}, 400, "invalid_request"},
		"with Basic":                   {basic("signer", "s"), []string{kind, oidc.AssertionTypeJWT, assertion, sign(nil)}, 400, "invalid_request"},
		"without its type":             {"", []string{assertion, sign(nil)}, 400, "invalid_request"},
		"with another type":            {"", []string{kind, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", assertion, sign(nil)}, 400, "invalid_request"},
		"only its type":                {"", []string{kind, oidc.AssertionTypeJWT, "client_id", "signer"}, 400, "invalid_request"},
		"twice":                        {"", []string{kind, oidc.AssertionTypeJWT, assertion, sign(nil), assertion, sign(nil)}, 400, "invalid_request"},
		"a secret instead":             {"", []string{"client_id", "signer", "client_secret", "s"}, 401, "invalid_client"},
		"Basic instead":                {basic("signer", "s"), nil, 401, "invalid_client"},
		"only its client_id instead":   {"", []string{"client_id", "signer"}, 401, "invalid_client"},
		"a client that has a secret":   {"", []string{kind, oidc.AssertionTypeJWT, assertion, sign(map[string]any{"iss": "worker", "sub": "worker"})}, 401, "invalid_client"},
		"of a client that is disabled": {"", []string{kind, oidc.AssertionTypeJWT, assertion, sign(map[string]any{"iss": "off", "sub": "off"})}, 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			off := signingClient(t, key)
			off.ClientID, off.Disabled = "off", true
			addSigner(t, issuer, off)
			form := url.Values{grant: {"client_credentials"}}
			for i := 0; i+1 < len(c.form); i += 2 {
				form.Add(c.form[i], c.form[i+1])
			}
			r := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathToken), form)
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			if got := send(t, issuer, r); got.status != c.status || got.text("error") != c.err {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}

// RFC 7009 2.1, RFC 7662 2.1, RFC 9126 2: the same at every endpoint where a client proves itself, with the URL of that
// endpoint as an audience, too.
func TestClientAssertionAtEveryEndpoint(t *testing.T) {
	issuer, _ := newIssuer(t)
	key := newSigningKey(t, "k1")
	addSigner(t, issuer, signingClient(t, key))
	for _, path := range []string{oidc.PathIntrospection, oidc.PathRevocation} {
		for _, audience := range []string{issuer.URL, issuer.Endpoint(oidc.PathToken), issuer.Endpoint(path)} {
			send := func(assertion string) answer {
				return post(t, issuer, path, "token", "nonsense", "client_assertion_type", oidc.AssertionTypeJWT, "client_assertion", assertion)
			}
			assertion := key.sign(t, changed(assertionClaims(issuer), map[string]any{"aud": audience}), nil)
			if got := send(assertion); got.status != http.StatusOK {
				t.Errorf("%s for %s answers %d %s", path, audience, got.status, got.raw)
			}
			if got := send(assertion); got.status != http.StatusUnauthorized {
				t.Errorf("%s for %s, again, answers %d %s", path, audience, got.status, got.raw)
			}
		}
	}
}
