package registry_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

func TestIndexSigningKeys(t *testing.T) {
	kid, good := signingKey(t, "es")
	otherKid, other := signingKey(t, "zz")
	bad := bytes.Replace(good, []byte(kid), []byte("not-the-thumbprint"), 1)
	tests := map[string]struct {
		steps       []step
		wantKids    []string
		wantRefused int
	}{
		"none at first":                    {},
		"a key is served":                  {steps: []step{{kindKey, "es", good}}, wantKids: []string{kid}},
		"keys of two documents are served": {steps: []step{{kindKey, "es", good}, {kindKey, "zz", other}}, wantKids: []string{kid, otherKid}},
		"a removed key is gone":            {steps: []step{{kindKey, "es", good}, {kindKey, "es", nil}}},
		"an invalid new version leaves the last good one": {
			steps: []step{{kindKey, "es", good}, {kindKey, "es", bad}}, wantKids: []string{kid}, wantRefused: 1,
		},
		"an invalid version that goes away takes the good one along": {
			steps: []step{{kindKey, "es", good}, {kindKey, "es", bad}, {kindKey, "es", nil}},
		},
		"an invalid first version is not served": {steps: []step{{kindKey, "es", bad}}, wantRefused: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			x, log := newIndex(t)
			run(x, tt.steps)
			if got, want := x.Counts(), (registry.Counts{SigningKeys: len(tt.wantKids), Refused: tt.wantRefused}); got != want {
				t.Errorf("Counts() = %+v; want %+v", got, want)
			}
			jwks := string(x.Keys().JWKS())
			if got := strings.Count(jwks, `"kid"`); got != len(tt.wantKids) {
				t.Errorf("JWKS holds %d keys; want %d", got, len(tt.wantKids))
			}
			for _, kid := range tt.wantKids {
				if !strings.Contains(jwks, kid) {
					t.Errorf("JWKS lacks %s", kid)
				}
			}
			if strings.Contains(log.String(), `\"d\"`) || strings.Contains(log.String(), "crv") {
				t.Error("the log holds key material")
			}
		})
	}
}

func TestIndexKeySetIsMadeOncePerChange(t *testing.T) {
	x, _ := newIndex(t)
	_, doc := signingKey(t, "es")
	empty := x.Keys()
	run(x, []step{{kindKey, "es", doc}})
	set := x.Keys()
	if set == empty {
		t.Error("the key set is the same after a key came")
	}
	run(x, []step{{kindKey, "es", doc}, {kindClient, "a", client("app")}})
	if x.Keys() != set {
		t.Error("the key set was made anew though no key changed")
	}
}

func TestIndexSettings(t *testing.T) {
	settings := func(d time.Duration) []byte {
		return text(registration.Settings{Lifetimes: registration.Lifetimes{IDToken: registration.Duration(d)}})
	}
	tests := map[string]struct {
		steps []step
		want  time.Duration
	}{
		"defaults without a document":                 {want: 15 * time.Minute},
		"what is set counts":                          {steps: []step{{kindSettings, "s", settings(time.Hour)}}, want: time.Hour},
		"defaults again when the document is gone":    {steps: []step{{kindSettings, "s", settings(time.Hour)}, {kindSettings, "s", nil}}, want: 15 * time.Minute},
		"an invalid version leaves the last good one": {steps: []step{{kindSettings, "s", settings(time.Hour)}, {kindSettings, "s", settings(-1)}}, want: time.Hour},
		"of two the first by name counts":             {steps: []step{{kindSettings, "b", settings(time.Hour)}, {kindSettings, "a", settings(time.Minute)}}, want: time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			x, _ := newIndex(t)
			run(x, tt.steps)
			got := x.Settings()
			if time.Duration(got.Lifetimes.IDToken) != tt.want || got.Sessions.Idle == 0 {
				t.Errorf("Settings() = %+v; want an ID token lifetime of %s and defaults for the rest", got, tt.want)
			}
		})
	}
}

func TestIndexReplaceAllLeavesNothingElse(t *testing.T) {
	x, log := newIndex(t)
	_, key := signingKey(t, "es")
	run(x, []step{
		{kindClient, "stays", client("stays")},
		{kindClient, "goes", client("goes")},
		{kindUser, "goes", user("ada", "1")},
		{kindKey, "goes", key},
		{kindSettings, "goes", []byte(`{"sessions":{"idle":"1h"}}`)},
		{kindClient, "bad", []byte(`{`)},
		{kindClient, "moves-from", client("moved")},
	})
	before, _ := x.Client("stays")
	log.Reset()
	x.ReplaceAll([]registry.Document{
		{Kind: kindClient, Name: "stays", Data: client("stays")},
		{Kind: kindClient, Name: "new", Data: client("new")},
		{Kind: kindClient, Name: "moves-to", Data: client("moved")},
	})
	if got, want := x.Counts(), (registry.Counts{Clients: 3}); got != want {
		t.Errorf("Counts() = %+v; want %+v", got, want)
	}
	if after, _ := x.Client("stays"); after != before {
		t.Error("an unchanged document was parsed again")
	}
	if got := x.Settings(); !reflect.DeepEqual(got, registration.DefaultSettings()) {
		t.Errorf("Settings() = %+v; want the defaults", got)
	}
	if _, ok := x.Client("moved"); !ok {
		t.Error("a client whose document was renamed is not found")
	}
	expectLog(t, log, nil)
}
