package applications_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/program"
)

// pythonOf returns the Python in which an application is installed.
func pythonOf(t *testing.T, application string) string {
	t.Helper()
	python, err := filepath.Abs(filepath.Join("..", "..", "bin", application, "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(python); err != nil {
		t.Fatalf("%s is not installed here; hack/virtualenv.sh, which `make test` runs, does that: %v", application, err)
	}
	return python
}

// newDjango starts the project in test/applications/django with the settings out of the Secret, and returns its URL.
func newDjango(t *testing.T, name string, options ...func(*v1alpha1.OIDCClientSpec)) (base string) {
	t.Helper()
	addresses, err := program.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	base = "http://localhost:" + port
	oidcClient := gen.OIDCClient(appNamespace, name, shared.cluster.provider, gen.WithRedirectURIs(), func(c *v1alpha1.OIDCClient) {
		c.Spec.DisplayName, c.Spec.Preset = "Shop", &v1alpha1.ClientPreset{Django: &v1alpha1.DjangoPreset{BaseURL: base}}
		for _, option := range options {
			option(&c.Spec)
		}
	})
	shared.cluster.apply(t, oidcClient)
	secret := newMount(t)
	secret.update(shared.cluster.credentials(t, oidcClient))
	project, err := filepath.Abs("django")
	if err != nil {
		t.Fatal(err)
	}
	environment := []string{
		"PYTHONPATH=" + secret.path + string(filepath.ListSeparator) + project, "DJANGO_SETTINGS_MODULE=shop", "PYTHONDONTWRITEBYTECODE=1",
		"SHOP_DATABASE=" + filepath.Join(t.TempDir(), "shop.db"), "REQUESTS_CA_BUNDLE=" + shared.authority.file, "no_proxy=*", "NO_PROXY=*",
	}
	python := pythonOf(t, "django")
	migrate, err := startProcess(environment, python, "-m", "django", "migrate", "--verbosity=0")
	if err != nil {
		t.Fatal(err)
	}
	if <-migrate.ended; !migrate.cmd.ProcessState.Success() {
		t.Fatal(migrate.stop())
	}
	p, err := startProcess(environment, python, "-m", "django", "runserver", "--noreload", addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if said := p.stop(); t.Failed() {
			t.Log("Django: " + said)
		}
	})
	eventually(t, func() error {
		if !p.runs() {
			t.Fatal("Django has ended")
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	})
	return base
}

// A person logs in, has an account of their name, and logs out of everything. Whose address could be anybody's does not get in.
func TestDjango(t *testing.T) {
	c := shared.cluster
	password := c.addPerson(t, "django-ada", func(u *v1alpha1.OIDCUser) {
		u.Spec.Email, u.Spec.EmailVerified = "countess@example.com", new(true)
	})
	otherPassword := c.addPerson(t, "django-mallory", func(u *v1alpha1.OIDCUser) { u.Spec.Email = "Countess@example.com" })
	base := newDjango(t, "django")

	b := newTab(t)
	b.open(base + "/oidc/authenticate/")
	b.reads(".lead", "Shop")
	b.logIn("django-ada", password)
	b.allow()
	b.at(base)
	b.reads("h1", "django-ada countess@example.com")
	b.click("button")
	b.at(base)
	b.reads("h1", "nobody")
	b.open(base + "/oidc/authenticate/")
	b.at(c.issuer + "/login") // the session at the provider has ended, too

	b.logIn("django-mallory", otherPassword)
	b.allow()
	b.at(base)
	b.reads("h1", "nobody")
}

// The same with the secret in the header, unverified addresses, and a logout that ends nothing at the provider.
func TestDjangoOtherwise(t *testing.T) {
	password := shared.cluster.addPerson(t, "django-grace", func(u *v1alpha1.OIDCUser) { u.Spec.Email = "grace@example.com" })
	base := newDjango(t, "django-otherwise", func(s *v1alpha1.OIDCClientSpec) {
		s.TokenEndpointAuthMethod = "client_secret_basic"
		s.Preset.Django.UnverifiedEmail, s.Preset.Django.Logout = new(true), new(false)
	})
	b := newTab(t)
	b.open(base + "/oidc/authenticate/")
	b.logIn("django-grace", password)
	b.allow()
	b.reads("h1", "django-grace grace@example.com")
	b.click("button")
	b.reads("h1", "nobody")
	b.open(base + "/oidc/authenticate/")
	b.at(base) // the session at the provider goes on
	b.reads("h1", "django-grace")
}
