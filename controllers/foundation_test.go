package controllers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// The manifests with which the OpenID Foundation's suite is run register what test/conformance is run with.
func TestFoundationManifests(t *testing.T) {
	dir := filepath.Join("..", "test", "conformance", "foundation")
	manifests, err := os.ReadFile(filepath.Join(dir, "manifests.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	registered := map[string]bool{}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	for {
		part, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := yaml.ToJSON(part)
		if err != nil {
			t.Fatal(err)
		}
		var kind struct{ Kind string }
		if err := json.Unmarshal(data, &kind); err != nil {
			t.Fatal(err)
		}
		switch kind.Kind {
		case "OIDCClient":
			var c v1alpha1.OIDCClient
			readStrictly(t, data, &c)
			var wanted registration.Client
			document, err := os.ReadFile(filepath.Join(dir, c.Name+".client.json"))
			if err != nil {
				t.Fatal(err)
			}
			readStrictly(t, document, &wanted)
			got := buildClientDocument(&c, nil)
			wanted.Consent = got.Consent // the file leaves the default out
			if !reflect.DeepEqual(*got, wanted) {
				t.Errorf("%s registers\n%+v\nwhile its file registers\n%+v", c.Name, *got, wanted)
			}
			registered[c.Name+".client.json"] = true
		case "OIDCUser":
			readStrictly(t, data, &v1alpha1.OIDCUser{})
		case "OIDCProvider":
			readStrictly(t, data, &v1alpha1.OIDCProvider{})
		case "SigningKey":
			readStrictly(t, data, &v1alpha1.SigningKey{})
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.client.json"))
	if err != nil || len(files) == 0 || len(files) != len(registered) {
		t.Errorf("%d files, %d manifests: %v", len(files), len(registered), err)
	}
}

func readStrictly(t *testing.T, data []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Errorf("read %T: %v", into, err)
	}
}
