package provider_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
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

func (k signingKey) thumbprint(t testing.TB) string {
	t.Helper()
	jwk := k.public()
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// proof returns a DPoP proof for a request, with claims and headers changed.
func (k signingKey) proof(t testing.TB, issuer *providertest.Issuer, method, target, token string, changes ...map[string]any) string {
	t.Helper()
	claims := map[string]any{"jti": newJTI(), "htm": method, "htu": target, "iat": issuer.Clock.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	headers := map[string]any{"typ": "dpop+jwt", "jwk": k.public()}
	if len(changes) > 0 {
		claims = changed(claims, changes[0])
	}
	if len(changes) > 1 {
		headers = changed(headers, changes[1])
	}
	k.kid = ""
	return k.sign(t, claims, headers)
}

// tokenForm is a token request of the client worker.
func workForm() url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {"worker"}, "client_secret": {"secret-of-worker"}}
}

// proven sends a token request with DPoP headers.
func proven(t testing.TB, issuer *providertest.Issuer, form url.Values, proofs ...string) answer {
	t.Helper()
	r := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathToken), form)
	r.Header["Dpop"] = proofs
	return send(t, issuer, r)
}

func newWorkIssuer(t testing.TB, opts ...providertest.Option) *providertest.Issuer {
	t.Helper()
	issuer, _ := newIssuer(t, opts...)
	issuer.AddClient(workerClient())
	return issuer
}

// RFC 9449 4.3: the checks of a proof, number by number.
func TestDPoPProof(t *testing.T) {
	issuer := newWorkIssuer(t)
	key, stranger := newSigningKey(t, ""), newSigningKey(t, "")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	target := issuer.Endpoint(oidc.PathToken)
	in := func(d time.Duration) any { return issuer.Clock.Now().Add(d).Unix() }
	claims := func(name string, value any) string {
		return key.proof(t, issuer, "POST", target, "", map[string]any{name: value})
	}
	header := func(name string, value any) string {
		return key.proof(t, issuer, "POST", target, "", nil, map[string]any{name: value})
	}
	secret := []byte(strings.Repeat("s", 32))
	good := key.proof(t, issuer, "POST", target, "")
	segments := strings.Split(good, ".")
	for name, c := range map[string]struct {
		proofs []string
		good   bool
	}{
		"a good one":                        {[]string{key.proof(t, issuer, "POST", target, "")}, true},
		"of an RSA key":                     {[]string{signingKey{rsaKey, jose.RS256, ""}.proof(t, issuer, "POST", target, "")}, true},
		"two headers (1)":                   {[]string{good, key.proof(t, issuer, "POST", target, "")}, false},
		"an empty header (2)":               {[]string{""}, false},
		"no JWT (2)":                        {[]string{"nonsense"}, false},
		"two in one header (1)":             {[]string{good + ", " + good}, false},
		"no jti (3)":                        {[]string{claims("jti", nil)}, false},
		"a very long jti":                   {[]string{claims("jti", strings.Repeat("a", 600))}, false},
		"no htm (3)":                        {[]string{claims("htm", nil)}, false},
		"no htu (3)":                        {[]string{claims("htu", nil)}, false},
		"no iat (3)":                        {[]string{claims("iat", nil)}, false},
		"iat is a text (3)":                 {[]string{claims("iat", "now")}, false},
		"typ JWT (4)":                       {[]string{header("typ", "JWT")}, false},
		"no typ (4)":                        {[]string{header("typ", nil)}, false},
		"none (5)":                          {[]string{base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"dpop+jwt"}`)) + "." + segments[1] + "."}, false},
		"HS256 (5)":                         {[]string{signWith(t, jose.HS256, secret, "", map[string]any{"jti": newJTI(), "htm": "POST", "htu": target, "iat": in(0)}, map[string]any{"typ": "dpop+jwt"})}, false},
		"HS256 with its key in it (5)":      {[]string{signWith(t, jose.HS256, secret, "", map[string]any{"jti": newJTI(), "htm": "POST", "htu": target, "iat": in(0)}, map[string]any{"typ": "dpop+jwt", "jwk": map[string]any{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(secret)}})}, false},
		"no key (3)":                        {[]string{header("jwk", nil)}, false},
		"the key of somebody else (6)":      {[]string{header("jwk", stranger.public())}, false},
		"no signature (6)":                  {[]string{segments[0] + "." + segments[1] + "."}, false},
		"the private key in it (7)":         {[]string{header("jwk", jose.JSONWebKey{Key: key.private})}, false},
		"another method (8)":                {[]string{claims("htm", "GET")}, false},
		"the method in lower case (8)":      {[]string{claims("htm", "post")}, false},
		"another endpoint (9)":              {[]string{claims("htu", issuer.Endpoint(oidc.PathUserinfo))}, false},
		"another host (9)":                  {[]string{claims("htu", "https://other.example.com"+oidc.PathToken)}, false},
		"a name for the same host (9)":      {[]string{claims("htu", strings.Replace(target, "127.0.0.1", "localhost", 1))}, false},
		"another scheme (9)":                {[]string{claims("htu", strings.Replace(target, "http:", "https:", 1))}, false},
		"the scheme in upper case (9)":      {[]string{claims("htu", strings.Replace(target, "http:", "HTTP:", 1))}, true},
		"a query and a fragment (9)":        {[]string{claims("htu", target+"?a=b#c")}, true},
		"a slash at the end (9)":            {[]string{claims("htu", target+"/")}, false},
		"the path in upper case (9)":        {[]string{claims("htu", strings.ToUpper(target))}, false},
		"an escape that means the same (9)": {[]string{claims("htu", strings.Replace(target, "token", "%74oken", 1))}, true},
		"an escaped slash (9)":              {[]string{claims("htu", strings.Replace(target, "/token", "%2Ftoken", 1))}, false},
		"dots in the path (9)":              {[]string{claims("htu", strings.Replace(target, "/token", "/../oauth2/token", 1))}, false},
		"a user in it (9)":                  {[]string{claims("htu", strings.Replace(target, "//", "//a@", 1))}, false},
		"only a path (9)":                   {[]string{claims("htu", oidc.PathToken)}, false},
		"no URL (9)":                        {[]string{claims("htu", "http://%zz")}, false},
		"four minutes old (11)":             {[]string{claims("iat", in(-4*time.Minute))}, true},
		"six minutes old (11)":              {[]string{claims("iat", in(-6*time.Minute))}, false},
		"20 seconds ahead (11)":             {[]string{claims("iat", in(20*time.Second))}, true},
		"a minute ahead (11)":               {[]string{claims("iat", in(time.Minute))}, false},
		"a header that must be understood":  {[]string{key.proof(t, issuer, "POST", target, "", nil, map[string]any{"crit": []string{"x"}, "x": 1})}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := proven(t, issuer, workForm(), c.proofs...)
			if c.good {
				if got.status != http.StatusOK || got.text("token_type") != "DPoP" {
					t.Errorf("answers %d %s", got.status, got.raw)
				}
				return
			}
			if got.status != http.StatusBadRequest || got.text("error") != "invalid_dpop_proof" {
				t.Errorf("answers %d %s", got.status, got.raw)
			}
		})
	}
}

// RFC 9449 4.3 (9): ports that the scheme has anyway do not count, and the Host header never does.
func TestDPoPEndpoint(t *testing.T) {
	issuer := newWorkIssuer(t, providertest.WithPath("/realm"))
	key := newSigningKey(t, "")
	r := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathToken), workForm())
	r.Host = "evil.example"
	r.Header.Set("DPoP", key.proof(t, issuer, "POST", "http://evil.example/realm"+oidc.PathToken, ""))
	if got := send(t, issuer, r); got.text("error") != "invalid_dpop_proof" {
		t.Errorf("the Host header decides: %d %s", got.status, got.raw)
	}
	if got := proven(t, issuer, workForm(), key.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathToken), "")); got.status != http.StatusOK {
		t.Errorf("answers %d %s", got.status, got.raw)
	}
}

// RFC 9449 4.3 (12), 11.1: a proof is good once, also at another replica.
func TestDPoPProofIsGoodOnce(t *testing.T) {
	issuer := newWorkIssuer(t)
	key := newSigningKey(t, "")
	proof := key.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathToken), "")
	var wait sync.WaitGroup
	statuses := make([]int, 8)
	for n := range statuses {
		wait.Go(func() { statuses[n] = proven(t, issuer, workForm(), proof).status })
	}
	wait.Wait()
	good := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			good++
		}
	}
	if good != 1 {
		t.Errorf("of 8 at once %d were good", good)
	}
	jti := map[string]any{"jti": "chosen"}
	if got := proven(t, issuer, workForm(), key.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathToken), "", jti)); got.status != http.StatusOK {
		t.Fatalf("answers %d", got.status)
	}
	stranger := newSigningKey(t, "")
	if got := proven(t, issuer, workForm(), stranger.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathToken), "", jti)); got.status != http.StatusOK {
		t.Errorf("somebody else uses up the names of proofs: %d", got.status)
	}
	issuer.Clock.Advance(4 * time.Minute)
	if _, err := issuer.Provider.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := proven(t, issuer, workForm(), proof); got.text("error") != "invalid_dpop_proof" || !strings.Contains(got.raw, "used before") {
		t.Errorf("four minutes later: %d %s", got.status, got.raw)
	}
}

func atUserinfo(t testing.TB, issuer *providertest.Issuer, scheme, token string, proofs ...string) answer {
	t.Helper()
	r := newRequest(t, http.MethodGet, issuer.Endpoint(oidc.PathUserinfo), nil, "Authorization", scheme+" "+token)
	r.Header["Dpop"] = proofs
	return send(t, issuer, r)
}

// RFC 9449 6 and 7: a bound token is good only with a proof of its key, in either format.
func TestDPoPBoundToken(t *testing.T) {
	for _, format := range []string{registration.FormatOpaque, registration.FormatJWT} {
		t.Run(format, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := appClient()
			client.AccessTokenFormat = format
			issuer.AddClient(client)
			key, stranger := newSigningKey(t, ""), newSigningKey(t, "")
			form := url.Values{
				"grant_type": {"authorization_code"}, "code": {newCode(t, issuer)}, "redirect_uri": {callback}, "client_id": {"app"}, "client_secret": {"secret-of-app"},
			}
			tokens := proven(t, issuer, form, key.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathToken), ""))
			token := tokens.text("access_token")
			if tokens.text("token_type") != "DPoP" { // 5
				t.Fatalf("answers %s", tokens.raw)
			}
			unbound := exchange(t, issuer, newCode(t, issuer)).text("access_token")
			target := issuer.Endpoint(oidc.PathUserinfo)
			for name, c := range map[string]struct {
				scheme, token string
				proofs        []string
				status        int
				err           string
				challenge     string
			}{
				"with its proof":               {"DPoP", token, []string{key.proof(t, issuer, "GET", target, token)}, 200, "", ""},
				"the scheme in lower case":     {"dpop", token, []string{key.proof(t, issuer, "GET", target, token)}, 200, "", ""},
				"as Bearer (7.2)":              {"Bearer", token, nil, 401, "invalid_token", "Bearer"},
				"as Bearer with a proof (7.2)": {"Bearer", token, []string{key.proof(t, issuer, "GET", target, token)}, 401, "invalid_token", "Bearer"},
				"without a proof (7.1)":        {"DPoP", token, nil, 401, "invalid_dpop_proof", "DPoP"},
				"with two proofs":              {"DPoP", token, []string{key.proof(t, issuer, "GET", target, token), key.proof(t, issuer, "GET", target, token)}, 401, "invalid_dpop_proof", "DPoP"},
				"a stranger's proof (4.3)":     {"DPoP", token, []string{stranger.proof(t, issuer, "GET", target, token)}, 401, "invalid_token", "DPoP"},
				"a proof without ath (4.3)":    {"DPoP", token, []string{key.proof(t, issuer, "GET", target, "")}, 401, "invalid_dpop_proof", "DPoP"},
				"the ath of another (4.3)":     {"DPoP", token, []string{key.proof(t, issuer, "GET", target, unbound)}, 401, "invalid_dpop_proof", "DPoP"},
				"a proof for POST (4.3)":       {"DPoP", token, []string{key.proof(t, issuer, "POST", target, token)}, 401, "invalid_dpop_proof", "DPoP"},
				"a token that is not bound":    {"DPoP", unbound, []string{key.proof(t, issuer, "GET", target, unbound)}, 401, "invalid_token", "DPoP"},
			} {
				t.Run(name, func(t *testing.T) {
					got := atUserinfo(t, issuer, c.scheme, c.token, c.proofs...)
					challenges := strings.Join(got.header.Values("WWW-Authenticate"), "\n")
					if got.status != c.status || got.text("error") != c.err || !strings.HasPrefix(challenges, c.challenge) {
						t.Errorf("answers %d %s with %s", got.status, got.raw, challenges)
					}
					named := strings.Contains(challenges, `error="`+c.err+`"`) && strings.Contains(challenges, `algs="RS256 `)
					if c.status == 401 && !named {
						t.Errorf("the challenge is %s", challenges) // 7.1: it says by which algorithms
					}
				})
			}
			replayed := key.proof(t, issuer, "GET", target, token)
			for _, want := range []int{200, 401} {
				if got := atUserinfo(t, issuer, "DPoP", token, replayed); got.status != want {
					t.Errorf("a proof answers %d; want %d", got.status, want)
				}
			}
			// 6.2: whoever introspects learns of the key.
			got := introspected(t, issuer, token)
			if cnf, _ := got.body["cnf"].(map[string]any); cnf["jkt"] != key.thumbprint(t) || got.text("token_type") != "DPoP" {
				t.Errorf("introspection answers %s", got.raw)
			}
			if format == registration.FormatJWT { // 6.1
				if cnf, _ := decodeSegment(t, token, 1)["cnf"].(map[string]any); cnf["jkt"] != key.thumbprint(t) {
					t.Errorf("cnf is %v", cnf)
				}
			}
		})
	}
}

// RFC 9449 5: the refresh tokens of a public client are bound, those of a confidential one are not.
func TestDPoPBoundRefreshToken(t *testing.T) {
	for name, method := range map[string]string{"public": registration.AuthMethodNone, "confidential": ""} {
		t.Run(name, func(t *testing.T) {
			issuer, _ := newIssuer(t)
			client := refreshingClient()
			client.TokenEndpointAuthMethod = method
			app := issuer.AddClient(client)
			key, stranger := newSigningKey(t, ""), newSigningKey(t, "")
			proofOf := func(k signingKey) string { return k.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathToken), "") }
			form := url.Values{
				"grant_type": {"authorization_code"}, "redirect_uri": {callback}, "client_id": {"app"}, "client_secret": {app.Secret},
				"code":          {newCode(t, issuer, "code_challenge", challenge, "code_challenge_method", "S256")},
				"code_verifier": {verifierOfChallenge},
			}
			first := proven(t, issuer, form, proofOf(key))
			refresh := func(proofs ...string) answer {
				return proven(t, issuer, url.Values{
					"grant_type": {"refresh_token"}, "refresh_token": {first.text("refresh_token")}, "client_id": {"app"}, "client_secret": {app.Secret},
				}, proofs...)
			}
			if method == registration.AuthMethodNone {
				for _, proofs := range [][]string{nil, {proofOf(stranger)}} {
					if got := refresh(proofs...); got.text("error") != "invalid_grant" {
						t.Errorf("with %d proofs: %d %s", len(proofs), got.status, got.raw)
					}
				}
				if got := refresh(proofOf(key)); got.status != http.StatusOK || got.text("token_type") != "DPoP" {
					t.Errorf("with its key: %d %s", got.status, got.raw)
				}
				return
			}
			if got := refresh(proofOf(stranger)); got.status != http.StatusOK || got.text("token_type") != "DPoP" {
				t.Errorf("with another key: %d %s", got.status, got.raw)
			}
		})
	}
}

// RFC 9449 5.2: a client that is registered for DPoP gets no other tokens.
func TestDPoPRequiredByTheClient(t *testing.T) {
	issuer, _ := newIssuer(t)
	worker := workerClient()
	worker.DPoPBoundAccessTokens = true
	issuer.AddClient(worker)
	if got := worked(t, issuer); got.status != http.StatusBadRequest || got.text("error") != "invalid_dpop_proof" {
		t.Errorf("without a proof: %d %s", got.status, got.raw)
	}
	key := newSigningKey(t, "")
	if got := proven(t, issuer, workForm(), key.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathToken), "")); got.status != http.StatusOK {
		t.Errorf("with a proof: %d %s", got.status, got.raw)
	}
}

// RFC 9449 10 and 10.1: a code is bound to the key that dpop_jkt names, or the proof of the pushed request.
func TestDPoPBoundCode(t *testing.T) {
	key, stranger := newSigningKey(t, ""), newSigningKey(t, "")
	redeem := func(issuer *providertest.Issuer, code string, proofs ...string) answer {
		return proven(t, issuer, url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {"app"}, "client_secret": {"secret-of-app"},
		}, proofs...)
	}
	check := func(t *testing.T, issuer *providertest.Issuer, code string) {
		t.Helper()
		target := issuer.Endpoint(oidc.PathToken)
		for _, proofs := range [][]string{nil, {stranger.proof(t, issuer, "POST", target, "")}} {
			if got := redeem(issuer, code, proofs...); got.text("error") != "invalid_grant" {
				t.Errorf("with %d proofs: %d %s", len(proofs), got.status, got.raw)
			}
		}
		if got := redeem(issuer, code, key.proof(t, issuer, "POST", target, "")); got.status != http.StatusOK {
			t.Errorf("with its key: %d %s", got.status, got.raw)
		}
	}
	t.Run("dpop_jkt", func(t *testing.T) {
		issuer, _ := newIssuer(t)
		check(t, issuer, newCode(t, issuer, "dpop_jkt", key.thumbprint(t)))
	})
	t.Run("pushed", func(t *testing.T) {
		issuer, _ := newIssuer(t)
		push := func(jkts ...string) answer {
			form := url.Values{
				"client_id": {"app"}, "client_secret": {"secret-of-app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"},
				"dpop_jkt": jkts,
			}
			r := newRequest(t, http.MethodPost, issuer.Endpoint(oidc.PathPushedRequest), form)
			r.Header.Set("DPoP", key.proof(t, issuer, "POST", issuer.Endpoint(oidc.PathPushedRequest), ""))
			return send(t, issuer, r)
		}
		if got := push(stranger.thumbprint(t)); got.text("error") != "invalid_dpop_proof" {
			t.Errorf("proof and dpop_jkt of two keys: %d %s", got.status, got.raw)
		}
		if got := push(key.thumbprint(t), stranger.thumbprint(t)); got.text("error") != "invalid_request" {
			t.Errorf("dpop_jkt twice: %d %s", got.status, got.raw)
		}
		for _, jkts := range [][]string{nil, {""}, {key.thumbprint(t)}} {
			pushed := push(jkts...)
			location := issuer.Endpoint(oidc.PathAuthorization) + "?client_id=app&request_uri=" + url.QueryEscape(pushed.text("request_uri"))
			check(t, issuer, issuer.NewBrowser(t).Authorize(location, "ada", password).Query().Get("code"))
		}
	})
}
