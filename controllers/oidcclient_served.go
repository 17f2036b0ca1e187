package controllers

import (
	"bytes"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The annotations of a client's registration.
const (
	// annotationOwnerUID tells the OIDCClient from an earlier one of the same name.
	annotationOwnerUID = "oidc-operator.dev/owner-uid"
	// annotationServedSince holds the resource version of an earlier state of the registration that let the application log
	// people in as well: what has changed since is only which other client secrets are accepted.
	annotationServedSince = "oidc-operator.dev/served-since"
)

// servedSince returns what annotationServedSince is to say, or "" when document is to be served as it is. credentialsUID is noted beside
// it, which is nothing to the provider.
func servedSince(state clientState, document *registration.Client, credentialsUID string) string {
	before, secret := state.standing, state.registration
	if before == nil {
		return ""
	}
	same, secretsToo, err := compareClients(before, document)
	if err != nil || !same {
		return ""
	}
	since := secret.Annotations[annotationServedSince]
	if secretsToo {
		if since == "" && credentialsUID != secret.Annotations[annotationCredentialsUID] {
			return secret.ResourceVersion
		}
		return since
	}
	if len(document.Secrets) == 0 {
		return ""
	}
	current := slices.IndexFunc(before.Secrets, func(s registration.ClientSecret) bool { return s.ID == document.Secrets[0].ID })
	if current < 0 {
		return ""
	}
	if promoted := before.Secrets[current].Pending && !document.Secrets[0].Pending; since != "" && !promoted {
		return since
	}
	return secret.ResourceVersion
}

// compareClients tells whether two registrations say the same apart from client secrets, and whether these are the same, too.
func compareClients(a, b *registration.Client) (same, secretsToo bool, err error) {
	without := func(c *registration.Client) []byte {
		rest := *c
		rest.Secrets = nil
		text, failed := json.Marshal(rest)
		if failed != nil {
			err = failed
		}
		return text
	}
	same = bytes.Equal(without(a), without(b))
	secretsToo = slices.EqualFunc(a.Secrets, b.Secrets, func(s, t registration.ClientSecret) bool {
		return s.ID == t.ID && s.Hash == t.Hash && s.Pending == t.Pending && s.NotAfter.Equal(t.NotAfter)
	})
	return same, secretsToo, err
}

// effectively returns result as it is to be judged: a replica that has applied the registration since which everybody can log in
// need not have applied the current one.
func effectively(result registered, since string) registered {
	if order, err := resourceversion.CompareResourceVersion(since, result.version); since == "" || err != nil || order > 0 {
		return result // also when a cluster was restored from a backup: its resource versions begin anew
	}
	result.version, result.written = since, false
	return result
}
