package presets_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

// A field of the API without a preset behind it would be accepted and do nothing.
func TestEveryFieldHasAPreset(t *testing.T) {
	var seen []string
	for _, name := range cases(t) {
		if preset := presets.Of(readClient(t, name)); preset != nil && !slices.Contains(seen, preset.Name) {
			seen = append(seen, preset.Name)
		}
	}
	fields := reflect.TypeFor[v1alpha1.ClientPreset]()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if !slices.Contains(seen, name) {
			t.Errorf("spec.preset.%s has no directory in testdata, or Of does not know it", name)
		}
	}
}

func TestEffectiveWithoutPreset(t *testing.T) {
	c := &v1alpha1.OIDCClient{}
	if presets.Effective(c) != c || presets.Of(c) != nil || presets.Status(c) != nil {
		t.Error("an OIDCClient without a preset must stay as it is")
	}
}

// Every field that a spec sets wins, also within a struct of which it sets only a part.
func TestSpecWins(t *testing.T) {
	c := readClient(t, "synapse-public")
	want := c.Spec
	got := presets.Effective(c).Spec
	for _, pair := range [][2]any{
		{got.DisplayName, want.DisplayName},
		{got.RedirectURIs, want.RedirectURIs},
		{got.GrantTypes, want.GrantTypes},
		{got.Scopes, want.Scopes},
		{got.TokenEndpointAuthMethod, want.TokenEndpointAuthMethod},
		{got.PKCE, want.PKCE},
		{got.IDTokenSignedResponseAlg, want.IDTokenSignedResponseAlg},
		{got.BackchannelLogoutURI, want.BackchannelLogoutURI},
		{got.BackchannelLogoutSessionRequired, want.BackchannelLogoutSessionRequired},
		{got.ProviderRef, want.ProviderRef},
		{got.Preset, want.Preset},
		{got.ClaimsIn, want.ClaimsIn},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%v became %v", pair[1], pair[0])
		}
	}
}

// status.effective tells all that a preset has filled in, so that nobody has to read it out of a registration.
func TestStatusShowsWhatIsFilledIn(t *testing.T) {
	for _, name := range cases(t) {
		c := readClient(t, name)
		defaults := asObject(t, presets.Of(c).Defaults)
		effective := presets.Effective(c)
		spec, status := asObject(t, effective.Spec), asObject(t, presets.Status(effective))
		for field := range defaults {
			if status[field] == nil || !reflect.DeepEqual(status[field], spec[field]) {
				t.Errorf("%s: %s is filled in and in force as %v, and status.effective shows %v", name, field, spec[field], status[field])
			}
		}
	}
}

func asObject(t *testing.T, value any) map[string]any {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(encoded, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestSecretFault(t *testing.T) {
	form := presets.SecretForm{Alphabet: presets.Alphanumeric, Length: 32, MaxLength: 32}
	for secret, want := range map[string]string{
		strings.Repeat("a", 32):       "",
		strings.Repeat("a", 33):       "it has 33 characters and the application is not known to take more than 32",
		"a" + strings.Repeat("-", 10): "it has characters that the application does not take",
		"a-b":                         "it has characters that the application does not take",
	} {
		if got := form.Fault(secret); got != want {
			t.Errorf("%s: got %q, want %q", secret, got, want)
		}
	}
}
