package controllers_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

// hostileTexts are what might end a value and begin another line, key or command in one of the formats that presets write.
var hostileTexts = []string{
	"/x\ny: z", "x\n[server]\nadmin = evil", "x\u2028y", "/x\"y", "/x`y", "x\"\"\"y\\", "x # y; reboot", "/x$(reboot)", "/x}y{", "$__env{HOME}", "x' --y z '", "- x: y", "\x1b[2J",
}

var _ = Describe("The files of a preset", func() {
	const directory = "presets/testdata"
	entries, err := os.ReadDir(directory)
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		It("keep their structure whatever a field of "+entry.Name()+" holds", func() {
			manifest, err := os.ReadFile(filepath.Join(directory, entry.Name(), "client.yaml"))
			Expect(err).NotTo(HaveOccurred())
			original := map[string]any{}
			Expect(yaml.Unmarshal(manifest, &original)).To(Succeed())
			Expect(unstructured.SetNestedField(original, "default", "metadata", "namespace")).To(Succeed())
			files, err := presetFiles(original)
			Expect(err).NotTo(HaveOccurred())
			want := structures(files, nil)
			tried := 0
			for _, path := range textPaths(original["spec"].(map[string]any)["preset"], []any{"spec", "preset"}) {
				for _, text := range hostileTexts {
					changed := runtime.DeepCopyJSON(original)
					was := setText(changed, path, text)
					if k8s.Create(ctx, &unstructured.Unstructured{Object: changed}, client.DryRunAll) != nil {
						continue // the API server refuses it
					}
					tried++
					files, err := presetFiles(changed)
					if err != nil {
						Expect(err.Error()).To(HavePrefix("spec."), "the error names the field")
						continue
					}
					Expect(structures(files, map[string]string{text: was})).To(Equal(want), "%v holds %q", path, text)
				}
			}
			AddReportEntry(fmt.Sprintf("%d values tried that the API server accepts", tried))
		})
	}
})

// textPaths returns where there are texts in a JSON value.
func textPaths(value any, at []any) [][]any {
	var found [][]any
	below := func(step, child any) { found = append(found, textPaths(child, append(slices.Clone(at), step))...) }
	switch v := value.(type) {
	case string:
		return [][]any{at}
	case []any:
		for i, child := range v {
			below(i, child)
		}
	case map[string]any:
		for key, child := range v {
			below(key, child)
		}
	}
	return found
}

// setText changes a text in a JSON value and returns what it was.
func setText(value any, path []any, text string) (was string) {
	for i, step := range path {
		last := i == len(path)-1
		switch v := value.(type) {
		case map[string]any:
			value = v[step.(string)]
			if last {
				v[step.(string)] = text
			}
		case []any:
			value = v[step.(int)]
			if last {
				v[step.(int)] = text
			}
		}
	}
	return value.(string)
}

func presetFiles(object map[string]any) (map[string][]byte, error) {
	c := &v1alpha1.OIDCClient{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, c); err != nil {
		return nil, err
	}
	effective := presets.Effective(c)
	issued := presets.Issued{Client: effective, Issuer: "https://id.example.com", SecretKey: "client_secret"}
	if effective.HasSecret() {
		issued.Secret = strings.Repeat("s", 32)
	}
	return presets.Of(effective).Files(issued)
}

// lineHead is what a line of a script, an ini file, a realm or a form begins with: what names its value.
var lineHead = regexp.MustCompile(`^\s*("""|[#A-Za-z_\[-]?[\w.-]*)`)

// structures returns what must not depend on any value: the keys of structured files, and of others the number of lines and what
// each begins with. Some values name a key, such as that of a claim; keys has such names with those to put in their place.
func structures(files map[string][]byte, keys map[string]string) map[string]any {
	out := map[string]any{}
	for name, content := range files {
		var parsed any
		switch filepath.Ext(name) {
		case ".yaml":
			Expect(yaml.UnmarshalStrict(content, &parsed)).To(Succeed(), name)
			out[name] = withoutTexts(parsed, keys)
		case ".json":
			Expect(json.Unmarshal(content, &parsed)).To(Succeed(), name)
			out[name] = withoutTexts(parsed, keys)
		default:
			var heads []string
			for line := range strings.Lines(string(content)) {
				Expect(line).NotTo(MatchRegexp(`[\x00-\x08\x0b-\x1f\x7f\x{2028}\x{2029}]`), name)
				if strings.Contains(line, "$__file") {
					Expect(line).To(MatchRegexp(`^client_secret = \$__file\{[^{}$]+/client_secret\}\n$`))
				}
				if strings.Contains(name, ".") {
					heads = append(heads, lineHead.FindString(line))
				} else {
					heads = append(heads, "") // the key in the Secret is the name, the content the value
				}
			}
			out[name] = heads
		}
	}
	return out
}

func withoutTexts(value any, keys map[string]string) any {
	switch v := value.(type) {
	case map[string]any:
		renamed := map[string]any{}
		for key := range v {
			name, ok := keys[key]
			if !ok {
				name = key
			}
			renamed[name] = withoutTexts(v[key], keys)
		}
		return renamed
	case []any:
		for i := range v {
			v[i] = withoutTexts(v[i], keys)
		}
		if !slices.ContainsFunc(v, func(child any) bool { return child != "" }) {
			return []any{} // of texts alone: a claim's name decides about its scope
		}
	case string:
		return ""
	}
	return value
}
