package applications_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/program"
	"github.com/oidc-operator/oidc-operator/test/status"
)

// noIssuers is an AuthenticationConfiguration that leaves everything as it is. The API server reads the file again when it changes.
const noIssuers = `{"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": []}`

// kubectl is somebody who uses the cluster with the kubeconfig out of the Secret and nothing else.
type kubectl struct {
	t           *testing.T
	environment []string
	program     string
	client      *v1alpha1.OIDCClient
}

// newKubectl gives the cluster's API server the configuration out of the Secret, and a person the kubeconfig.
func newKubectl(t *testing.T, preset *v1alpha1.KubeAPIServerPreset) *kubectl {
	t.Helper()
	c := shared.cluster
	addresses, err := program.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(shared.authority.file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	preset.CertificateAuthority = string(authority)
	// Other ports than 8000 and 18000, which may be in use.
	preset.Kubectl.ExtraArguments = []string{"--listen-address=127.0.0.1:" + port, "--token-cache-dir=" + dir}
	preset.Kubectl.Cluster = &v1alpha1.KubectlCluster{Server: c.env.ControlPlane.GetAPIServer().SecureServing.URL("https", "/").String(), CertificateAuthority: string(c.env.Config.CAData)}
	oidcClient := gen.OIDCClient(appNamespace, strings.ToLower(t.Name()), c.provider, gen.WithRedirectURIs("http://localhost:"+port), func(o *v1alpha1.OIDCClient) {
		o.Spec.Preset = &v1alpha1.ClientPreset{KubeAPIServer: preset}
	})
	c.apply(t, oidcClient)
	secret := c.credentials(t, oidcClient)
	c.authenticate(t, secret["authentication-config.yaml"])
	config := filepath.Join(dir, "kubeconfig.yaml")
	if err := os.WriteFile(config, secret["kubeconfig.yaml"], 0o600); err != nil {
		t.Fatal(err)
	}
	assets, err := filepath.Abs(os.Getenv("KUBEBUILDER_ASSETS"))
	if err != nil {
		t.Fatal(err)
	}
	return &kubectl{t: t, client: oidcClient, program: filepath.Join(assets, "kubectl"), environment: []string{
		"KUBECONFIG=" + config, "HOME=" + dir, "no_proxy=*", "NO_PROXY=*",
		"PATH=" + shared.programs + string(filepath.ListSeparator) + assets + string(filepath.ListSeparator) + os.Getenv("PATH"),
	}}
}

// authenticate changes the API server's AuthenticationConfiguration until the test ends.
func (c *cluster) authenticate(t *testing.T, config []byte) {
	t.Helper()
	replace := func(content []byte) {
		next := c.authentication + ".next"
		if err := errors.Join(os.WriteFile(next, content, 0o600), os.Rename(next, c.authentication)); err != nil {
			t.Error(err)
		}
	}
	replace(config)
	t.Cleanup(func() { replace([]byte(noIssuers)) })
}

// start runs kubectl and returns the URL that the login plugin asks the person to open.
func (k *kubectl) start(args ...string) (p *process, target string) {
	k.t.Helper()
	p, err := startProcess(k.environment, k.program, args...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		if said := p.stop(); k.t.Failed() {
			k.t.Log(said)
		}
	})
	asks := regexp.MustCompile(`in your browser: (\S+)\n`)
	eventually(k.t, func() error {
		match := asks.FindStringSubmatch(p.output.String())
		if match == nil {
			return errors.New("kubectl asks for no login")
		}
		target = match[1]
		return nil
	})
	return p, target
}

// run runs kubectl as somebody who is logged in.
func (k *kubectl) run(args ...string) (string, error) {
	cmd := exec.CommandContext(k.t.Context(), k.program, args...)
	cmd.Env = append(os.Environ(), k.environment...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("kubectl %s: %s", strings.Join(args, " "), exit.Stderr)
	}
	return string(out), err
}

// isKnownAs fails unless the API server takes the person for this user.
func (k *kubectl) isKnownAs(name, uid string, groups ...string) {
	k.t.Helper()
	var review authenticationv1.SelfSubjectReview
	eventually(k.t, func() error { // the API server looks at its file, and then for the issuer
		out, err := k.run("auth", "whoami", "-o", "json")
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(out), &review)
	})
	user := review.Status.UserInfo
	if slices.Sort(user.Groups); user.Username != name || user.UID != uid || !slices.Equal(user.Groups, append(groups, "system:authenticated")) {
		k.t.Fatalf("the API server knows %+v, want %s (%s) in %v", user, name, uid, groups)
	}
}

// A person logs in with the browser, is known by name and groups, and may do what RBAC says.
func TestKubectlBrowser(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "kubernetes-ada", func(u *v1alpha1.OIDCUser) {
		u.Spec.Groups, u.Spec.Subject = []string{"cluster-readers"}, "d9c6f1b6-3d3b-4c9e-9a6e-0d4b1f1f7a11"
	})
	c.apply(t, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "readers"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"}}},
	}, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "readers"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "readers"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "oidc:cluster-readers"}},
	})
	k := newKubectl(t, &v1alpha1.KubeAPIServerPreset{})
	_, target := k.start("auth", "whoami")
	b := newTab(t)
	b.open(target)
	b.reads(".lead", "Kubernetes")
	b.logIn("kubernetes-ada", password)
	b.allow()
	b.reads("h1", "Logged in")
	k.isKnownAs("oidc:kubernetes-ada", "d9c6f1b6-3d3b-4c9e-9a6e-0d4b1f1f7a11", "oidc:cluster-readers")
	eventually(t, func() error { // RBAC learns of the binding
		_, err := k.run("get", "configmaps", "--namespace="+appNamespace)
		return err
	})
	if _, err := k.run("get", "secrets", "--namespace="+appNamespace); err == nil || !strings.Contains(err.Error(), `User "oidc:kubernetes-ada" cannot list resource "secrets"`) {
		t.Errorf("got %v", err)
	}
}

// Without a browser on the machine, without a prefix, and without a group.
func TestKubectlDevice(t *testing.T) {
	password := shared.cluster.addPerson(t, "kubernetes-grace", func(u *v1alpha1.OIDCUser) { u.Spec.Subject = "grace-1" })
	k := newKubectl(t, &v1alpha1.KubeAPIServerPreset{
		Username: v1alpha1.KubeUsernameMapping{Prefix: new("")}, Groups: v1alpha1.KubeGroupsMapping{Prefix: new("")},
		Kubectl: v1alpha1.KubectlLogin{Flow: v1alpha1.KubectlFlowDevice},
	})
	k.letIn("kubernetes-grace", password)
	k.isKnownAs("kubernetes-grace", "grace-1")
}

// Whoever makes groups at the provider does not own the cluster, unless somebody has asked for that.
func TestKubectlSystemGroups(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "kubernetes-mallory", func(u *v1alpha1.OIDCUser) { u.Spec.Groups = []string{"system:masters"} })
	k := newKubectl(t, &v1alpha1.KubeAPIServerPreset{
		Groups:           v1alpha1.KubeGroupsMapping{Expression: "has(claims.groups) ? claims.groups : []"},
		AllowSystemNames: new(true),
		Kubectl:          v1alpha1.KubectlLogin{Flow: v1alpha1.KubectlFlowDevice},
	})
	k.letIn("kubernetes-mallory", password)
	eventually(t, func() error {
		_, err := k.run("get", "secrets", "--all-namespaces")
		return err
	})

	k.client.Spec.Preset.KubeAPIServer.AllowSystemNames = nil
	if err := c.client.Update(t.Context(), k.client); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return status.Ready(t.Context(), c.client, k.client) })
	c.authenticate(t, c.credentials(t, k.client)["authentication-config.yaml"])
	eventually(t, func() error {
		if _, err := k.run("get", "secrets", "--all-namespaces"); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
			return fmt.Errorf("the API server lets them in: %w", err)
		}
		return nil
	})
}

// letIn lets a device in that kubectl is.
func (k *kubectl) letIn(username, password string) {
	k.t.Helper()
	p, target := k.start("auth", "whoami")
	b := newTab(k.t)
	b.open(target)
	b.logIn(username, password)
	b.click("button[value=allow]")
	eventually(k.t, func() error {
		if p.runs() {
			return errors.New("kubectl has not ended")
		}
		return nil
	})
}
