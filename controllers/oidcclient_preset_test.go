package controllers

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// What every preset fills in is a registration that the provider takes, and its files replace nothing that every Secret has.
func TestPresetsAreRegistered(t *testing.T) {
	manifests, err := filepath.Glob("presets/testdata/*/client.yaml")
	if err != nil || len(manifests) == 0 {
		t.Fatal("no manifests", err)
	}
	provider := gen.OIDCProvider("sso", "sso")
	for _, name := range manifests {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			manifest, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			c := &v1alpha1.OIDCClient{}
			if err := yaml.UnmarshalStrict(manifest, c); err != nil {
				t.Fatal(err)
			}
			plan, err := planClient(presets.Effective(c), clientState{provider: provider, namespaceAllowed: true}, time.Now(), newMadeSecrets().client(c), newClientSecret)
			if err != nil {
				t.Fatal(err)
			}
			if plan.accepted.outcome != done || plan.registration == nil {
				t.Fatalf("not accepted: %s", plan.accepted.message)
			}
			without, err := credentialsData(c, provider.Spec.Issuer, "secret", nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range plan.preset.fileNames() {
				if _, taken := without[key]; taken {
					t.Errorf("%s is a key that every Secret has", key)
				}
			}
		})
	}
}

// A file that must be another one is the user's to write.
func TestDataReplacesAPresetsFile(t *testing.T) {
	c := gen.OIDCClient("matrix", "synapse", gen.OIDCProvider("sso", "sso"))
	c.Spec.Preset = &v1alpha1.ClientPreset{Synapse: &v1alpha1.SynapsePreset{PublicBaseURL: "https://matrix.example.com", IDPID: "sso"}}
	c.Spec.Credentials.Data = map[string]v1alpha1.CredentialsTemplate{"oidc_providers.yaml": "issuer: {{ .issuer }}"}
	provider := gen.OIDCProvider("sso", "sso")
	plan := planPreset(presets.Effective(c), clientState{provider: provider}, "secret")
	data, err := credentialsData(presets.Effective(c), provider.Spec.Issuer, "secret", plan.files)
	if err != nil {
		t.Fatal(err)
	}
	if want := "issuer: " + provider.Spec.Issuer; string(data["oidc_providers.yaml"]) != want || len(plan.fileNames()) != 0 {
		t.Errorf("the file is %q and should be %q; of the preset are %v", data["oidc_providers.yaml"], want, plan.fileNames())
	}
}
