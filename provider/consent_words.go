package provider

import (
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// A consent holds what a person has agreed to as words: scopes, and single claims where no more of their scope was requested
// (OpenID Connect Core section 5.5). A yes to one claim is not one to all of its scope, which the page has not shown.

// claimMark begins the word for a claim. No scope holds such a character (RFC 6749 section 3.3).
const claimMark = `"`

// agreement returns the words for what a person agrees to with a request.
func (a *authorization) agreement() []string {
	words := slices.Clone(a.scopes)
	for _, name := range a.claims.Names() {
		if !slices.Contains(a.scopes, oidc.ScopeOfClaim(name)) {
			words = append(words, claimMark+name)
		}
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

// scopesOfWords returns the scopes that the words of a consent are about.
func scopesOfWords(words []string) []string {
	scopes := make([]string, len(words))
	for i, word := range words {
		if claim, isClaim := strings.CutPrefix(word, claimMark); isClaim {
			word = oidc.ScopeOfClaim(claim)
		}
		scopes[i] = word
	}
	return scopes
}
