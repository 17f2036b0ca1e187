package registry_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func withAppID(id, appID string) []byte {
	return client(id, func(c *registration.Client) {
		c.SynologySSO = &registration.SynologySSOClient{AppID: appID, RedirectURIs: []string{"https://app.example.com/"}}
	})
}

// Whoever may choose an app_id cannot take one away that is made from another client's ID, nor put that client out of force.
func TestIndexAppIDs(t *testing.T) {
	chosen, own := strings.Repeat("a", 32), registration.SynologyAppID("zoe")
	for name, c := range map[string]struct {
		steps []step
		want  map[string]string // client IDs by app_id
	}{
		"a client is found by its app_id": {[]step{{kindClient, "1", withAppID("app", chosen)}}, map[string]string{chosen: "app", own: ""}},
		"a client that has none any more": {[]step{{kindClient, "1", withAppID("app", chosen)}, {kindClient, "1", client("app")}}, map[string]string{chosen: ""}},
		"a client that has another one":   {[]step{{kindClient, "1", withAppID("app", chosen)}, {kindClient, "1", withAppID("app", own)}}, map[string]string{chosen: "", own: "app"}},
		"a client that is gone":           {[]step{{kindClient, "1", withAppID("app", chosen)}, {kindClient, "1", nil}}, map[string]string{chosen: ""}},
		"of two, the first by client ID":  {[]step{{kindClient, "1", withAppID("b", chosen)}, {kindClient, "2", withAppID("a", chosen)}}, map[string]string{chosen: "a"}},
		"the other one when that is gone": {[]step{{kindClient, "1", withAppID("b", chosen)}, {kindClient, "2", withAppID("a", chosen)}, {kindClient, "2", nil}}, map[string]string{chosen: "b"}},
		"whose own it is comes first":     {[]step{{kindClient, "1", withAppID("a", own)}, {kindClient, "2", withAppID("zoe", own)}}, map[string]string{own: "zoe"}},
		"a document that is not in force": {[]step{{kindClient, "2", withAppID("app", own)}, {kindClient, "1", withAppID("app", chosen)}}, map[string]string{own: "", chosen: "app"}},
		"two documents, one of them goes": {[]step{{kindClient, "1", withAppID("app", chosen)}, {kindClient, "2", withAppID("app", chosen)}, {kindClient, "2", nil}}, map[string]string{chosen: "app"}},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := newIndex(t)
			for _, s := range c.steps {
				if s.data == nil {
					x.Remove(s.kind, s.name)
				} else if err := x.Upsert(s.kind, s.name, s.data); err != nil {
					t.Fatal(err)
				}
			}
			for appID, want := range c.want {
				found, ok := x.ClientByAppID(appID)
				if ok != (want != "") || ok && found.ClientID != want {
					t.Errorf("%s is %v, want %q", appID, found, want)
				}
			}
			if x.Counts().Refused > 1 || len(c.steps) > 0 && x.Counts().Clients == 0 && c.want[chosen] != "" {
				t.Errorf("the index holds %+v", x.Counts())
			}
		})
	}
}
