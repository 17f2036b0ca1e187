package controllers_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

var _ = Describe("Manifests in the documentation", func() {
	for _, page := range pages() {
		It("of "+page+" are accepted by the API server", func() {
			for _, text := range manifests(page) {
				obj := example(page, text)
				if obj == nil {
					continue
				}
				err := k8s.Create(ctx, obj, client.DryRunAll, &client.CreateOptions{FieldValidation: "Strict"})
				if meta.IsNoMatchError(err) {
					continue // of software that is not in this cluster
				}
				Expect(err).NotTo(HaveOccurred(), "%s", text)
			}
		})
	}

	It("are refused with a field that nobody knows, also where they are parts", func() {
		part := example("keys.md", "spec:\n  rotation: {intervall: 1h}")
		err := k8s.Create(ctx, part, client.DryRunAll, &client.CreateOptions{FieldValidation: "Strict"})
		Expect(err).To(MatchError(ContainSubstring("intervall")))
	})
})

// pages returns the paths of all Markdown files with manifests.
func pages() []string {
	found := []string{"../README.md"}
	err := filepath.WalkDir("../docs", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" && len(manifests(path)) > 0 {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	return found
}

var (
	yamlBlock     = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")
	yamlDocuments = regexp.MustCompile(`(?m)^---\n`)
)

func manifests(page string) []string {
	text, err := os.ReadFile(page)
	if err != nil {
		panic(err)
	}
	var found []string
	for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
		found = append(found, yamlDocuments.Split(block[1], -1)...)
	}
	return found
}

// foreign are the keys by which parts of other software's manifests and configurations are known.
var foreign = []string{"apiServer", "containers", "env", "matrixAuthenticationService", "synapse", "upstream_oauth2", "volumeMounts"}

// example makes a whole object of a manifest: a part of one stands for the spec of the kind that its page is about. It returns nil
// for what is not ours.
func example(page, text string) client.Object {
	GinkgoHelper()
	content := map[string]any{}
	Expect(yaml.UnmarshalStrict([]byte(text), &content)).To(Succeed(), "%s", text)
	if _, whole := content["kind"]; !whole {
		if len(content) == 0 || slices.ContainsFunc(foreign, func(key string) bool { return content[key] != nil }) {
			return nil
		}
		spec, ok := content["spec"].(map[string]any)
		if !ok {
			spec = content
		}
		content = completed(page, spec)
	}
	obj := &unstructured.Unstructured{Object: content}
	obj.SetNamespace("default")
	return obj
}

// completed returns an object of the kind that a page is about with the spec, and with what such a spec needs at least.
func completed(page string, spec map[string]any) map[string]any {
	providerRef := map[string]any{"name": "sso"}
	kind, least := "OIDCClient", map[string]any{"providerRef": providerRef}
	if spec["preset"] == nil && spec["grantTypes"] == nil {
		least["redirectURIs"] = []any{"https://app.example.com/callback"}
	}
	switch filepath.Base(page) {
	case "oidcprovider.md", "policy.md":
		kind, least = "OIDCProvider", map[string]any{"issuer": "https://id.example.com"}
	case "oidcuser.md":
		kind, least = "OIDCUser", map[string]any{"providerRef": providerRef}
	case "signingkey.md", "keys.md":
		kind, least = "SigningKey", map[string]any{"providerRef": providerRef}
	}
	maps.Copy(least, spec)
	return map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": kind, "metadata": map[string]any{"name": "example"}, "spec": least,
	}
}
