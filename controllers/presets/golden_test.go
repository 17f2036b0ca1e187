package presets_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

const (
	testIssuer = "https://id.example.com/" // the slash is part of it
	testSecret = "SecretSecretSecretSecretSecret00"
)

// readClient returns the OIDCClient of a directory in testdata.
func readClient(t *testing.T, name string) *v1alpha1.OIDCClient {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join("testdata", name, "client.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c := &v1alpha1.OIDCClient{}
	if err := yaml.UnmarshalStrict(manifest, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// render returns the files of a client that Effective has filled in.
func render(t *testing.T, effective *v1alpha1.OIDCClient) map[string][]byte {
	t.Helper()
	issued := presets.Issued{Client: effective, Issuer: testIssuer, SecretKey: "client_secret"}
	if effective.HasSecret() {
		issued.Secret = testSecret
	}
	files, err := presets.Of(effective).Files(issued)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func cases(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Every directory in testdata holds an OIDCClient and what becomes of it: effective.yaml, as status shows it, and the files.
// UPDATE_GOLDEN=1 writes them anew; look at the difference before you commit it.
func TestGolden(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			effective := presets.Effective(readClient(t, name))
			got := render(t, effective)
			for file, content := range got {
				checkParses(t, file, content)
			}
			status, err := yaml.Marshal(presets.Status(effective))
			if err != nil {
				t.Fatal(err)
			}
			got["effective.yaml"] = status
			compare(t, filepath.Join("testdata", name), got)
		})
	}
}

func compare(t *testing.T, directory string, got map[string][]byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		for file, content := range got {
			if err := os.WriteFile(filepath.Join(directory, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"client.yaml"}
	for file, content := range got {
		files = append(files, file)
		want, err := os.ReadFile(filepath.Join(directory, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content, want) {
			t.Errorf("%s is\n%s\nand should be\n%s", file, content, want)
		}
	}
	for _, e := range entries {
		if !slices.Contains(files, e.Name()) {
			t.Errorf("%s is not made any more", e.Name())
		}
	}
}

// checkParses fails when a file is not what its name says.
func checkParses(t *testing.T, file string, content []byte) {
	t.Helper()
	var parsed any
	var err error
	switch filepath.Ext(file) {
	case ".yaml":
		err = yaml.UnmarshalStrict(content, &parsed)
	case ".json":
		err = json.Unmarshal(content, &parsed)
	}
	if err != nil {
		t.Errorf("%s: %v", file, err)
	}
}

// What holds for every preset.
func TestEveryPreset(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			c := readClient(t, name)
			before := c.DeepCopy()
			effective := presets.Effective(c)
			files := render(t, effective)

			if !equalJSON(t, c, before) {
				t.Error("the OIDCClient was changed")
			}
			if !equalJSON(t, presets.Effective(effective), effective) {
				t.Error("filling in twice is not the same as filling in once")
			}
			if again := render(t, effective); !maps.EqualFunc(files, again, bytes.Equal) {
				t.Error("the files differ from one time to the next, so that the Secret would be written for ever")
			}
			if len(files) == 0 {
				t.Error("there are no files")
			}
			form := presets.FormOf(effective)
			if form.Length < 32 || strings.Trim(form.Alphabet, presets.Alphanumeric) != "" || len(form.Alphabet) < 62 {
				t.Errorf("%d characters of %q hold less than 190 bits, or need quotes somewhere", form.Length, form.Alphabet)
			}
			if fault := form.Fault(strings.Repeat("a", form.Length)); fault != "" {
				t.Errorf("what is made is not what is taken: %s", fault)
			}
			for file, content := range files {
				if strings.Contains(string(content), `"oauthserver_url"`) {
					continue // that is an origin and no issuer: a browser tells the application of it without a slash
				}
				if strings.Contains(strings.ReplaceAll(string(content), testIssuer, ""), strings.TrimSuffix(testIssuer, "/")+"\"") {
					t.Errorf("%s has another issuer than %s", file, testIssuer)
				}
			}
		})
	}
}

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX != nil || errY != nil {
		t.Fatal(errX, errY)
	}
	return bytes.Equal(x, y)
}
