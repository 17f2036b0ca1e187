package synologysso_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/synologysso"
)

const appID = "153fcb35b01571b49cb0adca3a4bda40"

func client(redirectURIs ...string) *registration.Client {
	return &registration.Client{ClientID: "app", SynologySSO: &registration.SynologySSOClient{AppID: appID, RedirectURIs: redirectURIs}}
}

func statusOf(err error) synologysso.Status {
	var fault *synologysso.Fault
	if errors.As(err, &fault) {
		return fault.Status
	}
	return ""
}

func TestCheckDirectory(t *testing.T) {
	configured := registration.SynologySSO{DomainName: "MYDOMAIN.COM", LDAPBaseDN: `ou=Lovelace\, Ada,dc=my ldap,dc=com`}
	for name, c := range map[string]struct {
		domain, baseDN string
		ok             bool
	}{
		"none":                        {"", "", true},
		"the domain":                  {"mydomain.com", "", true},
		"the domain with a dot":       {"MyDomain.Com.", "", true},
		"another domain":              {"mydomain.com.evil", "", false},
		"the base DN":                 {"", `ou=Lovelace\, Ada,dc=my ldap,dc=com`, true},
		"in other letters and spaces": {"", ` OU = lovelace\, ada , DC=My ldap, dc=COM `, true},
		"without a space that counts": {"", `ou=Lovelace\, Ada,dc=myldap,dc=com`, false},
		"without the escape":          {"", `ou=Lovelace, Ada,dc=my ldap,dc=com`, false},
		"less of it":                  {"", `dc=com`, false},
		"the one and not the other":   {"mydomain.com", "dc=com", false},
	} {
		r := &synologysso.Request{DomainName: c.domain, LDAPBaseDN: c.baseDN}
		err := r.CheckDirectory(configured)
		if (err == nil) != c.ok || err != nil && statusOf(err) != synologysso.InvalidDirectoryService {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOrigins(t *testing.T) {
	app := client("https://A.example.com:443/x?y", "https://a.example.com", "http://localhost:8080/cb", "https://[2001:db8::1]/").SynologySSO
	want := []string{"https://a.example.com", "http://localhost:8080", "https://[2001:db8::1]"}
	if got := synologysso.Origins(app); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCandidates(t *testing.T) {
	seen := map[int64]bool{}
	for _, n := range synologysso.Candidates("sub-ada") {
		if n < 1024 || n > 1<<31-1 || seen[n] {
			t.Errorf("%d is out of bounds, or there twice", n)
		}
		seen[n] = true
	}
	// What applications know people by must not change with a version of this program.
	if got := synologysso.Candidates("sub-ada")[:2]; !slices.Equal(got, []int64{2095504168, 1468566233}) {
		t.Errorf("the numbers are %v", got)
	}
	if got := registration.SynologyAppID("matrix.synapse"); got != "50f5a1d1280c2bc6f9e0f31cdc0c4078" {
		t.Errorf("the app_id is %s", got)
	}
}

func TestScriptIsSmallAndOwn(t *testing.T) {
	script := string(synologysso.Script())
	for _, part := range []string{"SYNOSSO", "init:", "login:", "logout:"} {
		if !strings.Contains(script, part) {
			t.Errorf("the script has no %s", part)
		}
	}
	for _, part := range []string{"eval(", "innerHTML", "document.write", "XMLHttpRequest", "localStorage"} {
		if strings.Contains(script, part) {
			t.Errorf("the script has %s", part)
		}
	}
}

// FuzzRequest: whatever a query says, it is read within bounds, is the same when it has travelled through the login page, and its
// answer goes to a registered page or says nothing that its sender has not sent.
func FuzzRequest(f *testing.F) {
	const registered = "https://app.example.com/?a=b"
	valid := url.Values{"app_id": {appID}, "redirect_uri": {registered}, "scope": {"user_id"}, "synossoJSSDK": {"true"}, "state": {"s"}}.Encode()
	for _, query := range []string{
		"", valid, valid + "&synossoJSSDKQuery=true&inframe_id=f&domain_name=A&ldap_baseDN=dc%3Da", valid + "&method=logout", valid + "&state=x",
		strings.Replace(valid, "true", "FALSE", 1), valid + "&x=%zz", "app_id=%00&synossoJSSDK=true", strings.ToUpper(valid),
		valid + "&redirect_uri=https://evil.example", "synossoJSSDK=true&state=" + strings.Repeat("%23", 200), valid + "&ldap_baseDN=%5C",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r, err := synologysso.ReadRequest(oidc.ReadParameters(query))
		if err != nil && !slices.Contains(synologysso.Faults(), statusOf(err)) {
			t.Fatalf("the error is %v", err)
		}
		errFor := r.For(client(registered))
		_ = r.CheckDirectory(registration.SynologySSO{DomainName: "a", LDAPBaseDN: "dc=a"}) // must come to an end
		if len(r.State) > 512 {
			t.Fatal("the state is not bounded")
		}
		for _, answer := range []string{r.Message(synologysso.StatusLogin, "token"), r.Message(synologysso.ServerError, ""), r.FaultURL(synologysso.UnknownError)} {
			_, fragment, _ := strings.Cut(answer, "#")
			if told, err := url.ParseQuery(fragment); errFor == nil && (err != nil || len(told["status"]) != 1 || told.Get("state") != r.State) {
				t.Fatalf("%q is told", answer)
			}
		}
		switch target := r.Target(); {
		case errFor == nil && target != "https://app.example.com", errFor != nil && (target != "*" || !strings.HasPrefix(r.Message(synologysso.InvalidAppID, ""), "#")):
			t.Fatalf("the message is for %q", target)
		}
		if err != nil {
			return
		}
		encoded := r.Encode()
		again, err := synologysso.ReadRequest(oidc.ReadParameters(encoded))
		if err != nil || again.Encode() != encoded || again.FromScript() != r.FromScript() || again.Kind != r.Kind || again.RedirectURI != r.RedirectURI || again.State != r.State {
			t.Fatalf("%q comes back as %+v, %v", encoded, again, err)
		}
		if len(encoded) > 8<<10 {
			t.Fatalf("%d bytes travel through the login page", len(encoded))
		}
	})
}

// FuzzExchange: what is read as an exchange has a token of bounded length and, if any, an app_id that is one.
func FuzzExchange(f *testing.F) {
	for _, query := range []string{"", "action=exchange&access_token=a", "action=exchange&access_token=a&app_id=" + appID, "action=exchange&access_token=a&access_token=b", "%zz"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		e, err := synologysso.ReadExchange(oidc.ReadParameters(query))
		switch {
		case err != nil && !slices.Contains(synologysso.Faults(), statusOf(err)):
			t.Fatalf("the error is %v", err)
		case err == nil && (e.Token == "" || len(e.Token) > 256 || e.AppID != "" && (len(e.AppID) != 32 || strings.Trim(e.AppID, "0123456789abcdef") != "")):
			t.Fatalf("%+v is read", e)
		}
	})
}
