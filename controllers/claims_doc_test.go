package controllers

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The manifests of docs/claims.md are accepted, and their examples hold.
func TestManifestsOfTheClaimsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	manifests := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(manifests) < 2 {
		t.Fatalf("there are %d manifests", len(manifests))
	}
	hash := registration.HashSecret(strings.Repeat("x", 32))
	secrets := []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}}
	for _, manifest := range manifests {
		c := &v1alpha1.OIDCClient{}
		if err := yaml.UnmarshalStrict([]byte(manifest[1]), c); err != nil {
			t.Fatalf("%v in %s", err, manifest[1])
		}
		if err := buildClientDocument(c, secrets).Validate(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if len(c.Spec.Claims) == 0 && c.Spec.Subject.Expression == "" {
			t.Errorf("%s has no expression", c.Name)
		}
	}
}
