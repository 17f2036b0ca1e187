package oidc_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// OpenID Connect Core section 5.5: what is not understood is ignored, what is malformed is told.
func TestReadClaims(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		// want is the request in short; "" means that nothing is left of it.
		want string
		says string
	}{
		"the example of the standard": {
			`{"userinfo": {"given_name": {"essential": true}, "nickname": null, "email": {"essential": true}, "email_verified": {"essential": true},
			  "picture": null, "http://example.info/claims/groups": null}, "id_token": {"auth_time": {"essential": true},
			  "acr": {"values": ["urn:mace:incommon:iap:silver"]}}}`,
			`{"userinfo":{"email":{"essential":true},"email_verified":{"essential":true},"given_name":{"essential":true},"nickname":{},"picture":{}},` +
				`"id_token":{"acr":{"values":["urn:mace:incommon:iap:silver"]}}}`, "",
		},
		"nothing":                               {`{}`, "", ""},
		"only what is not understood":           {`{"userinfo":{"shoe_size":7},"verified_claims":{"email":1}}`, "", ""},
		"names in another case":                 {`{"UserInfo":{"email":null},"userinfo":{"Email":null}}`, "", ""},
		"a claim in another language (5.2)":     {`{"userinfo":{"name#ja-Kana-JP":null}}`, "", ""},
		"members that are not understood":       {`{"userinfo":{"email":{"purpose":"mail","essential":false}}}`, `{"userinfo":{"email":{}}}`, ""},
		"a value":                               {`{"id_token":{"sub":{"value":"248289761001"}}}`, `{"id_token":{"sub":{"values":["248289761001"]}}}`, ""},
		"a value and values":                    {`{"id_token":{"sub":{"value":"a","values":["b", "c"]}}}`, `{"id_token":{"sub":{"values":["a","b","c"]}}}`, ""},
		"a value that is an object":             {`{"userinfo":{"address":{"value": {"country": "<UK>"}}}}`, `{"userinfo":{"address":{"values":[{"country":"<UK>"}]}}}`, ""},
		"no JSON":                               {`{"userinfo"`, "", "claims must be a JSON object"},
		"two objects":                           {`{}{}`, "", "claims must be a JSON object"},
		"an array":                              {`[]`, "", "claims must be a JSON object"},
		"null":                                  {`null`, "", "claims must be a JSON object"},
		"text":                                  {`"userinfo"`, "", "claims must be a JSON object"},
		"no UTF-8":                              {"{\"userinfo\":{\"email\":{\"value\":\"\xff\"}}}", "", "claims must be a JSON object"},
		"a member that is an array":             {`{"id_token":["email"]}`, "", "claims.id_token must be a JSON object"},
		"a claim that is true":                  {`{"id_token":{"email":true}}`, "", "claims.id_token.email must be null or a JSON object"},
		"essential is text":                     {`{"userinfo":{"email":{"essential":"true"}}}`, "", "essential"},
		"values is no array":                    {`{"userinfo":{"acr":{"values":"a"}}}`, "", "values"},
		"values is empty, so that nothing fits": {`{"userinfo":{"acr":{"values":[]}}}`, "", "values"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := oidc.ReadClaims(c.text)
			if got := request.Encode(); got != c.want {
				t.Errorf("read as %s", got)
			}
			if (err != nil) != (c.says != "") || err != nil && (!errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidRequest}) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error is %v", err)
			}
		})
	}
	if _, err := read("response_type=code&scope=openid&claims=" + `{"x":"` + strings.Repeat("x", 9000) + `"}`); !errors.Is(err, &oidc.Error{Code: oidc.CodeInvalidRequest}) {
		t.Errorf("nine kilobytes: %v", err)
	}
}

// OpenID Connect Core section 5.5.1: what value, values and essential ask for.
func TestClaimsThatAreAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		text         string
		subject, acr bool
	}{
		"no request of sub or acr":             {`{"userinfo":{"email":null}}`, true, true},
		"this sub":                             {`{"id_token":{"sub":{"value":"ada"}}}`, true, true},
		"one of these subs":                    {`{"id_token":{"sub":{"values":["bob","ada"]}}}`, true, true},
		"another sub":                          {`{"id_token":{"sub":{"value":"bob"}}}`, false, true},
		"another sub in userinfo":              {`{"userinfo":{"sub":{"value":"bob"}}}`, false, true},
		"a sub that is no text":                {`{"id_token":{"sub":{"value":1}}}`, false, true},
		"any sub":                              {`{"id_token":{"sub":{"essential":true}}}`, true, true},
		"any acr":                              {`{"id_token":{"acr":{"essential":true}}}`, true, true},
		"another acr, as a wish (5.5.1.1)":     {`{"id_token":{"acr":{"value":"gold"}}}`, true, true},
		"another acr, essential (5.5.1.1)":     {`{"id_token":{"acr":{"essential":true,"value":"gold"}}}`, true, false},
		"one of these acrs, essential":         {`{"id_token":{"acr":{"essential":true,"values":["gold","` + oidc.ACRPassword + `"]}}}`, true, true},
		"another acr, essential, for userinfo": {`{"userinfo":{"acr":{"essential":true,"value":"gold"}}}`, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := oidc.ReadClaims(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if request.AllowsSubject("ada") != c.subject || request.AllowsACR(oidc.ACROf([]string{"pwd"})) != c.acr {
				t.Errorf("sub %v, acr %v", request.AllowsSubject("ada"), request.AllowsACR(oidc.ACRPassword))
			}
		})
	}
	essential, err := oidc.ReadClaims(`{"id_token":{"acr":{"essential":true}}}`)
	if err != nil || essential.AllowsACR(oidc.ACROf([]string{"face"})) {
		t.Errorf("an essential acr is met by a login that has none (%v)", err)
	}
}

func TestGrantedClaims(t *testing.T) {
	request, err := oidc.ReadClaims(`{"userinfo":{"email":null,"name":null,"sub":{"value":"a"}},"id_token":{"groups":null,"acr":null}}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := request.Granted([]string{"openid", "email"}).Encode(); got != `{"userinfo":{"email":{}}}` {
		t.Errorf("granted are %s", got)
	}
	if request.Granted([]string{"openid"}) != nil {
		t.Error("something is granted without a scope")
	}
	if names := request.Granted([]string{"profile", "groups"}).Names(); !slices.Equal(names, []string{"groups", "name"}) {
		t.Errorf("names are %v", names)
	}
	// What is asked of a request is asked of none, too.
	var none *oidc.ClaimsRequest
	if none.Granted(nil) != nil || none.Names() != nil || none.Encode() != "" || none.NamesSubject() || !none.AllowsSubject("a") || !none.AllowsACR("") {
		t.Error("no request asks for something")
	}
}

// FuzzReadClaims: whatever is sent, reading ends with a protocol error or with a request that reads the same from what a grant
// remembers of it.
func FuzzReadClaims(f *testing.F) {
	for _, text := range []string{
		`{"userinfo":{"given_name":{"essential":true},"email":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["a","b"]}}}`,
		`{"id_token":{"sub":{"value":"248289761001"}}}`, `{"userinfo":{"address":{"value":{"country":"UK"}}}}`, `{"userinfo":null}`, `{"userinfo":{"email":{"values":[null]}}}`,
		`{"userinfo":{"email":{"value":"<\u0000\ud800"}}}`, `{"a":`, `[[[[`, `null`, `{"userinfo":{"email":{"value":1e999}}}`, `{"userinfo":{"email":1,"email":null}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		request, err := oidc.ReadClaims(text)
		if err != nil {
			var known *oidc.Error
			if request != nil || !errors.As(err, &known) || known.Code != oidc.CodeInvalidRequest || !printable(known.Description) {
				t.Fatalf("read as %v, %#v", request, err)
			}
			return
		}
		request.AllowsSubject("a")
		request.AllowsACR("a")
		granted := request.Granted(oidc.Scopes())
		if granted == nil {
			return
		}
		again, err := oidc.ReadClaims(granted.Encode())
		if err != nil || again.Encode() != granted.Encode() || !slices.Equal(again.Names(), granted.Names()) {
			t.Fatalf("%s reads again as %s, %v", granted.Encode(), again.Encode(), err)
		}
	})
}
