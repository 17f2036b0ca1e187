package applications_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/program"
)

// vault is Vault's plugin for OIDC in a Vault of ours, and somebody who sets it up by the script out of the Secret.
type vault struct {
	t      *testing.T
	client *v1alpha1.OIDCClient
	secret *mount
	// program is the server as well as the command.
	program string
	// address is where its UI and its API are.
	address     string
	environment []string
}

// newVault starts a Vault without any auth method and creates an OIDCClient for it.
func newVault(t *testing.T, options ...func(*v1alpha1.OIDCClientSpec)) *vault {
	t.Helper()
	c := shared.cluster
	binary, err := filepath.Abs(filepath.Join("..", "..", "bin", "vault", "vault"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("Vault's plugin is not built here; `make bin/vault/vault`, which `make test` runs, does that: %v", err)
	}
	addresses, err := program.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	v := &vault{t: t, secret: newMount(t), program: binary, address: "http://" + addresses[0]}
	v.environment = []string{
		"VAULT_ADDR=" + v.address, "VAULT_TOKEN=of-the-one-who-sets-it-up", "HOME=" + t.TempDir(), "no_proxy=*", "NO_PROXY=*",
		"PATH=" + filepath.Dir(binary) + string(filepath.ListSeparator) + os.Getenv("PATH"),
	}
	v.start(addresses[0])
	authority, err := os.ReadFile(shared.authority.file)
	if err != nil {
		t.Fatal(err)
	}
	v.client = gen.OIDCClient(appNamespace, strings.ToLower(t.Name()), c.provider, gen.WithRedirectURIs(), func(o *v1alpha1.OIDCClient) {
		o.Spec.Preset = &v1alpha1.ClientPreset{Vault: &v1alpha1.VaultPreset{
			Address: v.address, Policies: []string{"reader"}, CertificateAuthority: string(authority),
		}}
		for _, option := range options {
			option(&o.Spec)
		}
	})
	c.apply(t, v.client)
	v.secret.update(c.credentials(t, v.client))
	return v
}

func (v *vault) start(listen string) {
	v.t.Helper()
	p, err := startProcess(v.environment, v.program, "server", "-listen="+listen)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() {
		if said := p.stop(); v.t.Failed() {
			v.t.Log(said)
		}
	})
	eventually(v.t, func() error {
		connection, err := net.Dial("tcp", listen)
		if err == nil {
			err = connection.Close()
		}
		return err
	})
}

// setUp runs the script as it is in the Secret now. Vault must take it without a warning; of a field that the plugin does not know
// ours makes an error.
func (v *vault) setUp() {
	v.t.Helper()
	cmd := exec.CommandContext(v.t.Context(), "sh", filepath.Join(v.secret.path, "vault.sh"))
	cmd.Env = append(os.Environ(), v.environment...)
	out, err := cmd.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("warning")) {
		v.t.Fatalf("vault.sh: %v\n%s", err, out)
	}
}

// identity is what Vault makes a token and memberships of.
type identity struct {
	Alias        string            `json:"alias"`
	GroupAliases []string          `json:"group_aliases"`
	Policies     []string          `json:"policies"`
	Metadata     map[string]string `json:"metadata"`
}

// ask sends a request to Vault's API as its UI does for somebody who is not logged in yet.
func (v *vault) ask(method, path string, body any) (data map[string]any, auth *identity, err error) {
	v.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		return nil, nil, err
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.address+"/v1/"+path, bytes.NewReader(content))
	if err != nil {
		return nil, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Data   map[string]any `json:"data"`
		Auth   *identity      `json:"auth"`
		Errors []string       `json:"errors"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("vault answers %d: %s", response.StatusCode, strings.Join(answer.Errors, "; "))
	}
	return answer.Data, answer.Auth, nil
}

// begin opens the page that Vault's UI opens for a login at its default role, mounted at oidc.
func (v *vault) begin(b *tab) {
	v.t.Helper()
	data, _, err := v.ask(http.MethodPost, "auth/oidc/oidc/auth_url", map[string]string{"redirect_uri": v.callback()})
	if err != nil {
		v.t.Fatal(err)
	}
	target, _ := data["auth_url"].(string)
	if target == "" {
		v.t.Fatal("Vault knows nowhere to go for a login")
	}
	b.open(target)
}

// callback is where a browser comes back to Vault's UI.
func (v *vault) callback() string { return v.address + "/ui/vault/auth/oidc/oidc/callback" }

// finish does what Vault's UI does with the answer that the browser has come back with.
func (v *vault) finish(b *tab) (*identity, error) {
	v.t.Helper()
	b.at(v.callback())
	_, auth, err := v.ask(http.MethodGet, "auth/oidc/oidc/callback?"+b.location().RawQuery, nil)
	return auth, err
}
