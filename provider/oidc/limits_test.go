package oidc_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// Whoever sends a long list must not make the provider compare each word with each other: that would take minutes.
func TestLongListsAreReadQuickly(t *testing.T) {
	var many strings.Builder
	resources := []string{}
	for i := range 300_000 {
		fmt.Fprintf(&many, " s%x", i)
		resources = append(resources, fmt.Sprintf("urn:%x", i))
	}
	for name, values := range map[string]url.Values{
		"scope":    {"response_type": {"code"}, "scope": {"openid" + many.String()}},
		"resource": {"response_type": {"code"}, "scope": {"openid"}, "resource": resources},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := oidc.ReadAuthorization(oidc.ParametersOf(values))
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it takes %s", took)
			}
			if err == nil {
				t.Error("it is accepted")
			}
		})
	}
}

func TestGrantedScopesStandOnce(t *testing.T) {
	got := oidc.GrantedScopes([]string{"openid", "email", "openid", "email", "other"}, []string{"email", "openid"})
	if !slices.Equal(got, []string{"openid", "email"}) {
		t.Errorf("granted are %q", got)
	}
}
