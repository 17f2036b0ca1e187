package controllers

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestAdoptable(t *testing.T) {
	const command = "kubectl -n apps annotate secret theirs oidc-operator.dev/allow-client=app"
	secret := func(options ...func(*corev1.Secret)) *corev1.Secret {
		return gen.Secret("apps", "theirs", nil, options...)
	}
	ownedBy := func(owner string) func(*corev1.Secret) {
		return func(s *corev1.Secret) {
			s.Annotations = map[string]string{resources.AnnotationOwner: owner}
			s.Type = resources.SecretTypeCredentials
		}
	}
	also := func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationAllowClient] = "app" }
	for name, test := range map[string]struct {
		secret *corev1.Secret
		adopt  bool
		state  clientState
		reason string // empty: it is adoptable
		says   []string
	}{
		"allowed and asked for":          {secret(gen.AllowingClient("app")), true, clientState{}, "", nil},
		"allowed with others":            {secret(gen.AllowingClient("one, app ,two")), true, clientState{}, "", nil},
		"neither":                        {secret(), false, clientState{}, v1alpha1.ReasonSecretNotOwned, []string{"set spec.credentials.adopt", command}},
		"allowed only":                   {secret(gen.AllowingClient("app")), false, clientState{}, v1alpha1.ReasonSecretNotOwned, []string{"set spec.credentials.adopt"}},
		"asked for only":                 {secret(), true, clientState{}, v1alpha1.ReasonSecretNotAllowed, []string{command}},
		"allowed to another":             {secret(gen.AllowingClient("ap")), true, clientState{}, v1alpha1.ReasonSecretNotAllowed, []string{"annotate --overwrite secret theirs oidc-operator.dev/allow-client=ap,app"}},
		"allowed to a name that has it":  {secret(gen.AllowingClient("app2")), true, clientState{}, v1alpha1.ReasonSecretNotAllowed, nil},
		"of an OIDCClient that is there": {secret(ownedBy("OIDCClient/apps/old"), also), true, clientState{}, v1alpha1.ReasonSecretNotOwned, []string{"belongs to OIDCClient/apps/old"}},
		"the same, not asked for":        {secret(ownedBy("OIDCClient/apps/old")), false, clientState{}, v1alpha1.ReasonSecretNotOwned, []string{"belongs to OIDCClient/apps/old", "set spec.credentials.secretName"}},
		"retained, its OIDCClient gone":  {secret(ownedBy("OIDCClient/apps/old"), also), true, clientState{ownerGone: true}, "", nil},
		"retained, and not allowed":      {secret(ownedBy("OIDCClient/apps/old")), true, clientState{ownerGone: true}, v1alpha1.ReasonSecretNotAllowed, []string{command}},
		"adopted before, its label lost": {secret(func(s *corev1.Secret) {
			s.Annotations = map[string]string{resources.AnnotationOwner: "OIDCClient/apps/app"}
		}), true, clientState{}, "", nil},
		"the database's address, allowed": {secret(gen.AllowingClient("app")), true, clientState{purpose: "the database of X"}, v1alpha1.ReasonSecretNotOwned, []string{"is for the database of X and cannot be adopted"}},
		"immutable, allowed":              {secret(gen.AllowingClient("app"), func(s *corev1.Secret) { s.Immutable = new(true) }), true, clientState{}, v1alpha1.ReasonSecretNotOwned, []string{"is immutable"}},
		"of a controller, allowed": {secret(gen.AllowingClient("app"), func(s *corev1.Secret) {
			s.OwnerReferences = []metav1.OwnerReference{{Kind: "ExternalSecret", Name: "x", UID: "u", Controller: new(true)}}
		}), true, clientState{}, v1alpha1.ReasonSecretNotOwned, []string{`is kept by ExternalSecret "x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"), func(c *v1alpha1.OIDCClient) {
				c.UID = "uid"
				if test.adopt {
					c.Spec.Credentials.Adopt = new(true)
				}
			})
			got := test.state.adoptable(c, test.secret)
			switch {
			case got == nil && test.reason == "":
			case got == nil || got.reason != test.reason:
				t.Fatalf("got %+v, want %q", got, test.reason)
			default:
				for _, part := range append(test.says, `Secret "theirs" exists and is not owned by this OIDCClient`) {
					if !strings.Contains(got.message, part) {
						t.Errorf("%q does not say %q", got.message, part)
					}
				}
				if test.says != nil && strings.Contains(got.message, "belongs to") && strings.Contains(got.message, "spec.credentials.adopt") {
					t.Errorf("%q advises what cannot help", got.message)
				}
			}
		})
	}
}

// What is in a Secret that the operator has not made stays, whatever the OIDCClient asks for later.
func TestPlanAdoption(t *testing.T) {
	client := func(change func(*v1alpha1.OIDCClient)) *v1alpha1.OIDCClient {
		return gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"), change)
	}
	plain := func(*v1alpha1.OIDCClient) {}
	ours := map[string]string{resources.AnnotationOwner: "OIDCClient/apps/app"}
	recorded := func(record string) map[string]string {
		all := maps.Clone(ours)
		all[annotationAdoption] = record
		return all
	}
	for name, test := range map[string]struct {
		client      func(*v1alpha1.OIDCClient)
		current     map[string]string
		labels      map[string]string
		annotations map[string]string
		wanted      map[string]string
		written     []string
		record      adoption
		fault       string
	}{
		"adds what is not there, and keeps the client secret": {
			client: plain, current: map[string]string{"client_secret": "s", "issuer": "i"}, wanted: map[string]string{"client_secret": "s", "issuer": "i", "scopes": "x"},
			written: []string{"client_secret", "scopes"}, record: adoption{Data: []string{"scopes"}, Updated: []string{"client_secret"}},
		},
		"changes nothing that is there": {
			client: plain, current: map[string]string{"DB": "db", "issuer": "other"}, wanted: map[string]string{"DB": "evil", "issuer": "i", "x": "y"}, fault: `"DB", "issuer"`,
		},
		"changes nothing that was there before, once it is adopted": {
			client: plain, current: map[string]string{"client_secret": "s", "DB": "db"}, annotations: recorded(`{"updated":["client_secret"]}`),
			wanted: map[string]string{"client_secret": "s", "DB": "evil"}, fault: `"DB"`,
		},
		"keeps up to date what it has added": {
			client: plain, current: map[string]string{"client_secret": "s", "issuer": "i"}, annotations: recorded(`{"data":["issuer"],"updated":["client_secret"]}`),
			wanted: map[string]string{"client_secret": "rotated", "issuer": "j"}, written: []string{"client_secret", "issuer"},
			record: adoption{Data: []string{"issuer"}, Updated: []string{"client_secret"}},
		},
		"goes on with one that was adopted before it was recorded": {
			client: plain, current: map[string]string{"client_secret": "s", "issuer": "i"}, annotations: ours,
			wanted: map[string]string{"client_secret": "s", "issuer": "i"}, written: []string{"client_secret", "issuer"},
			record: adoption{Updated: []string{"client_secret", "issuer"}},
		},
		"changes no label": {
			client:  func(c *v1alpha1.OIDCClient) { c.Spec.Credentials.Labels = map[string]string{"app": "evil"} },
			current: map[string]string{"client_secret": "s"}, labels: map[string]string{"app": "theirs"}, wanted: map[string]string{"client_secret": "s"}, fault: `label "app"`,
		},
		"adds a label": {
			client: func(c *v1alpha1.OIDCClient) {
				c.Spec.Credentials.Labels = map[string]string{"app": "theirs", "team": "web"}
			},
			current: map[string]string{"client_secret": "s"}, labels: map[string]string{"app": "theirs"}, wanted: map[string]string{"client_secret": "s"},
			written: []string{"client_secret"}, record: adoption{Updated: []string{"client_secret"}, Labels: []string{"team"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bytesOf := func(texts map[string]string) map[string][]byte {
				data := map[string][]byte{}
				for k, v := range texts {
					data[k] = []byte(v)
				}
				return data
			}
			secret := gen.Secret("apps", "app-oidc", nil)
			secret.Data, secret.Labels, secret.Annotations = bytesOf(test.current), test.labels, test.annotations
			if test.annotations != nil {
				secret.Labels = map[string]string{resources.LabelManagedBy: resources.ManagedBy}
			}
			written, record, err := planAdoption(client(test.client), secret, bytesOf(test.wanted))
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Fatalf("got %v, want an error about %s", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(maps.Keys(written)); !slices.Equal(got, test.written) {
				t.Errorf("writes %v, want %v", got, test.written)
			}
			if !slices.Equal(record.Data, test.record.Data) || !slices.Equal(record.Updated, test.record.Updated) || !slices.Equal(record.Labels, test.record.Labels) {
				t.Errorf("records %+v, want %+v", record, test.record)
			}
		})
	}
}
