package provider

import (
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// exchangedResources returns the resources that an access token is for (RFC 8707 section 2.2): those that the request
// names, else those of the authorization request. grant is nil when the client acts for itself. The error is an *oidc.Error.
//
// A grant that names resources is good for no others. What the client is no longer registered for is left out, and when
// nothing is left there is no token: one without resources would be good for more.
func exchangedResources(t *tokenRequest, grant *store.Grant) ([]string, error) {
	asked, err := oidc.ReadResources(t.params)
	if err != nil {
		return nil, err
	}
	var granted []string
	if grant != nil {
		granted = grant.Resources
	}
	for _, uri := range asked {
		switch {
		case !slices.Contains(t.client.Resources, uri):
			return nil, &oidc.Error{Code: oidc.CodeInvalidTarget, Description: "this client is not registered for the resource"}
		case len(granted) > 0 && !slices.Contains(granted, uri):
			return nil, &oidc.Error{Code: oidc.CodeInvalidTarget, Description: "the resource is none of those of the authorization request"}
		}
	}
	if len(asked) > 0 || len(granted) == 0 {
		return asked, nil
	}
	left := slices.DeleteFunc(slices.Clone(granted), func(uri string) bool { return !slices.Contains(t.client.Resources, uri) })
	if len(left) == 0 {
		return nil, &oidc.Error{Code: oidc.CodeInvalidTarget, Description: "this client is no longer registered for what it was granted"}
	}
	return left, nil
}
