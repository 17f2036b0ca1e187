package oidc_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

func TestReadBasic(t *testing.T) {
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		header string
		want   []oidc.Credentials
	}{
		"plain":                       {"Basic " + encode("app:s3cret"), []oidc.Credentials{{ClientID: "app", Secret: "s3cret"}}},
		"a colon in the secret":       {"Basic " + encode("app:a:b"), []oidc.Credentials{{ClientID: "app", Secret: "a:b"}}},
		"may be urlencoded":           {"Basic " + encode("app:a+b%2B"), []oidc.Credentials{{ClientID: "app", Secret: "a b+"}, {ClientID: "app", Secret: "a+b%2B"}}},
		"cannot be urlencoded":        {"Basic " + encode("app:100%"), []oidc.Credentials{{ClientID: "app", Secret: "100%"}}},
		"scheme in capitals":          {"BASIC " + encode("app:s"), []oidc.Credentials{{ClientID: "app", Secret: "s"}}},
		"two spaces":                  {"Basic  " + encode("app:s"), []oidc.Credentials{{ClientID: "app", Secret: "s"}}},
		"empty secret":                {"Basic " + encode("app:"), []oidc.Credentials{{ClientID: "app"}}},
		"empty ID":                    {"Basic " + encode(":s"), nil},
		"no colon":                    {"Basic " + encode("app"), nil},
		"no base64":                   {"Basic app:s", nil},
		"base64 of the URL, unpadded": {"Basic YXBwOnM", nil},
		"another scheme":              {"Bearer " + encode("app:s"), nil},
		"only the scheme":             {"Basic", nil},
		"nothing":                     {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := oidc.ReadBasic(c.header); !slices.Equal(got, c.want) {
				t.Errorf("read as %+v", got)
			}
		})
	}
}
