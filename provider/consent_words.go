package provider

import (
	"cmp"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// A consent holds what a person has agreed to as words: scopes, single claims where no more of their scope was requested
// (OpenID Connect Core section 5.5), and the resources that tokens may be for (RFC 8707). A yes to one claim is not one to all
// of its scope, nor one to a scope at one service one to the same scope at another: the page has not shown that.

// These begin the words for a claim and for a resource. No scope holds such a character (RFC 6749 section 3.3).
const (
	claimMark    = `"`
	resourceMark = `\`
)

// resources returns those that the tokens of a request may be for: those that it names, or, where it names none, all that the
// client is registered for, because it can name any of them when it asks for a token (RFC 8707 section 2.2).
func (a *authorization) resources() []string {
	if len(a.Resources) > 0 {
		return a.Resources
	}
	return a.client.Resources
}

// agreement returns the words for what a person agrees to with a request.
func (a *authorization) agreement() []string {
	words := slices.Clone(a.scopes)
	for _, name := range a.claims.Names() {
		// Claims of the client's own are told with openid.
		if !slices.Contains(a.scopes, cmp.Or(oidc.ScopeOfClaim(name), oidc.ScopeOpenID)) {
			words = append(words, claimMark+name)
		}
	}
	for _, uri := range a.resources() {
		words = append(words, resourceMark+uri)
	}
	return words
}

// covers tells whether the words of a consent hold another one: a scope holds its claims.
func covers(given []string, word string) bool {
	if slices.Contains(given, word) {
		return true
	}
	claim, isClaim := strings.CutPrefix(word, claimMark)
	return isClaim && slices.Contains(given, oidc.ScopeOfClaim(claim))
}

// splitWords returns what the words of a consent are about: scopes, also those of single claims, and resources.
func splitWords(words []string) (scopes, resources []string) {
	for _, word := range words {
		if uri, isResource := strings.CutPrefix(word, resourceMark); isResource {
			resources = append(resources, uri)
			continue
		}
		if claim, isClaim := strings.CutPrefix(word, claimMark); isClaim {
			word = oidc.ScopeOfClaim(claim)
		}
		scopes = append(scopes, word)
	}
	return scopes, resources
}
