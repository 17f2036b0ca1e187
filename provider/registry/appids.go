package registry

import (
	"cmp"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// appIDs finds the documents of clients by the app_id of Synology SSO Server's protocol. Unlike a client ID, an app_id that two
// clients claim must not put the documents of either out of force: whoever may choose one could else switch off a stranger's
// application.
type appIDs map[string][]claim

// claim is a document that has an app_id. own tells that the app_id is made from its client ID.
type claim struct {
	document string
	clientID string
	own      bool
}

func (a claim) compare(b claim) int {
	if a.own != b.own {
		if a.own {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.clientID, b.clientID), cmp.Compare(a.document, b.document))
}

func (a appIDs) add(document string, client *registration.Client) {
	if client.SynologySSO == nil {
		return
	}
	appID := client.SynologySSO.AppID
	own := appID == registration.SynologyAppID(client.ClientID)
	a[appID] = append(a[appID], claim{document, client.ClientID, own})
	slices.SortFunc(a[appID], claim.compare)
}

func (a appIDs) remove(document string, client *registration.Client) {
	if client.SynologySSO == nil {
		return
	}
	appID := client.SynologySSO.AppID
	a[appID] = slices.DeleteFunc(a[appID], func(c claim) bool { return c.document == document })
	if len(a[appID]) == 0 {
		delete(a, appID)
	}
}

// ClientByAppID returns the client with this app_id. Of several it is the one whose client ID the app_id is made from, else the
// first by client ID.
func (x *Index) ClientByAppID(appID string) (*registration.Client, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, c := range x.appIDs[appID] {
		if e := x.clients.byName[c.document]; e != nil && e.shadowedBy == "" {
			return e.doc, true
		}
	}
	return nil, false
}
