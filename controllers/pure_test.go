package controllers

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestHolds(t *testing.T) {
	type m = map[string]any
	type l = []any
	for name, test := range map[string]struct {
		have, want any
		holds      bool
	}{
		"equal":                    {m{"a": "x"}, m{"a": "x"}, true},
		"defaults beside":          {m{"a": "x", "b": 1.0}, m{"a": "x"}, true},
		"missing":                  {m{"b": 1.0}, m{"a": "x"}, false},
		"changed":                  {m{"a": "y"}, m{"a": "x"}, false},
		"defaults in list items":   {l{m{"a": "x", "b": "y"}}, l{m{"a": "x"}}, true},
		"longer list":              {l{"a", "b"}, l{"a"}, false},
		"other order":              {l{"b", "a"}, l{"a", "b"}, false},
		"empty map wanted":         {nil, m{}, true},
		"another owner beside":     {m{"ownerReferences": l{m{"uid": "1"}, m{"uid": "2"}}}, m{"ownerReferences": l{m{"uid": "2"}}}, true},
		"owner missing":            {m{"ownerReferences": l{m{"uid": "1"}}}, m{"ownerReferences": l{m{"uid": "2"}}}, false},
		"map where there is text":  {"x", m{"a": "x"}, false},
		"list where there is text": {"x", l{"a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := holds(test.have, test.want); got != test.holds {
				t.Fatalf("got %v", got)
			}
		})
	}
}

// What an annotation tells of a Secret must not depend on its values.
func TestDigestTellsNothingOfSecretValues(t *testing.T) {
	digest := func(secret string) string {
		c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"))
		data, err := credentialsData(c, "https://id.example.com", secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := withDigest(buildCredentials(c, nil, data, issuance{}, ""))
		if err != nil {
			t.Fatal(err)
		}
		return u.GetAnnotations()[annotationApplied]
	}
	if digest("one") != digest("two") {
		t.Error("the digest depends on the client secret")
	}
	if digest("one") == digest("") {
		t.Error("the digest does not depend on which keys there are")
	}
}

func TestHostAllowed(t *testing.T) {
	hosts := []string{"app.example.com", "*.example.org", "localhost", "[::1]"}
	for uri, allowed := range map[string]bool{
		"https://app.example.com/cb":        true,
		"https://APP.example.com/cb":        true,
		"https://app.example.com:8443/cb":   true,
		"https://x.app.example.com/cb":      false,
		"https://a.example.org":             true,
		"https://a.b.example.org":           true,
		"https://example.org":               false,
		"https://evilexample.org":           false,
		"https://a.example.org.evil.com":    false,
		"http://localhost:8090/cb":          true,
		"http://[::1]:8090/cb":              true,
		"http://127.0.0.1/cb":               false,
		"http://[0:0:0:0:0:0:0:1]:8090/cb":  true,
		"http://[::2]/cb":                   false,
		"https://app.example.com@evil.com/": false,
		// A private-use scheme is a domain name in reverse; what follows it leads nowhere (RFC 8252 section 7.1).
		"com.example.app:/cb":                  true,
		"com.other.app:/cb":                    false,
		"com.other.app://app.example.com/cb":   false,
		"org.example://a.example.org/cb":       false,
		"org.example.a://payroll.other.com/cb": true,
	} {
		p := gen.OIDCProvider("sso", "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.AllowedClients.RedirectHosts = hosts })
		if got := foreignHost(p, []string{uri}) == ""; got != allowed {
			t.Errorf("%s: got %v", uri, got)
		}
	}
}

func TestPrecedes(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	at := func(name string, created time.Time) *v1alpha1.OIDCClient {
		return gen.OIDCClient("ns", name, gen.OIDCProvider("sso", "sso"), func(c *v1alpha1.OIDCClient) { c.CreationTimestamp = metav1.NewTime(created) })
	}
	owner := func(name string) string {
		return resources.Owner(kindClient, types.NamespacedName{Namespace: "ns", Name: name})
	}
	for name, test := range map[string]struct {
		a, b      *v1alpha1.OIDCClient
		incumbent string
		want      bool
	}{
		"older":                      {at("z", now), at("a", now.Add(time.Second)), "", true},
		"younger":                    {at("a", now.Add(time.Second)), at("z", now), "", false},
		"older than the incumbent":   {at("a", now), at("b", now.Add(time.Second)), owner("b"), true},
		"same second, by name":       {at("a", now), at("b", now), "", true},
		"same second, incumbent":     {at("b", now), at("a", now), owner("b"), true},
		"same second, not incumbent": {at("a", now), at("b", now), owner("b"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := precedes(kindClient, test.incumbent, test.a, test.b); got != test.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}

func TestJudgeServed(t *testing.T) {
	at := func(version string) replicaReport { return replicaReport{name: "r" + version, applied: version} }
	for name, test := range map[string]struct {
		ready        []replicaReport
		servedBefore bool
		reason       string
	}{
		"all are there":           {[]replicaReport{at("10"), at("11")}, false, v1alpha1.ReasonServed},
		"longer numbers":          {[]replicaReport{at("100")}, false, v1alpha1.ReasonServed},
		"one is behind":           {[]replicaReport{at("9"), at("11")}, true, v1alpha1.ReasonAwaitingReplicas},
		"one says nothing":        {[]replicaReport{at("")}, false, v1alpha1.ReasonAwaitingReplicas},
		"one says what is no RV":  {[]replicaReport{at("new")}, false, v1alpha1.ReasonAwaitingReplicas},
		"none, never served":      {nil, false, v1alpha1.ReasonNoReplicas},
		"none, but served before": {nil, true, v1alpha1.ReasonServed},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judgeServed(test.ready, "10", test.servedBefore); got.reason != test.reason {
				t.Fatalf("got %+v", got)
			}
		})
	}
}

func TestWaitersRelease(t *testing.T) {
	provider := types.NamespacedName{Namespace: "sso", Name: "sso"}
	one, two := types.NamespacedName{Name: "one"}, types.NamespacedName{Name: "two"}
	w := newWaiters()
	start := time.Now()
	w.add(provider, one, "10", start)
	w.add(provider, two, "15", start)
	if got := w.add(provider, two, "20", start.Add(time.Second)); !got.Equal(start.Add(time.Second)) {
		t.Errorf("waits for another version since %v, want a second later", got)
	}
	if got := w.add(provider, two, "20", start.Add(time.Minute)); !got.Equal(start.Add(time.Second)) {
		t.Errorf("begins to wait anew for the same version: since %v", got)
	}
	if got := w.release(provider, nil); got != nil {
		t.Errorf("released %v without any replica", got)
	}
	if got := w.release(provider, []replicaReport{{applied: "15"}, {applied: "25"}}); len(got) != 1 || got[0] != one {
		t.Errorf("got %v, want one", got)
	}
	if got := w.release(provider, []replicaReport{{applied: "15"}}); len(got) != 0 {
		t.Errorf("released %v twice or too early", got)
	}
	w.remove(provider, two)
	if len(w.held) != 0 {
		t.Errorf("kept %v", w.held)
	}
}

func TestSetConditions(t *testing.T) {
	var conditions []metav1.Condition
	now := metav1.Now()
	status := func(conditionType string) string {
		c := meta.FindStatusCondition(conditions, conditionType)
		if c == nil {
			return "absent"
		}
		return string(c.Status) + " " + c.Reason
	}
	check := func(want map[string]string) {
		t.Helper()
		for conditionType, w := range want {
			if got := status(conditionType); got != w {
				t.Errorf("%s: got %q, want %q", conditionType, got, w)
			}
		}
	}
	setConditions(&conditions, 1, now, named{"A", accept("Fine", "")}, named{"B", wait("Soon", "")}, named{"C", stall("Never", "")})
	check(map[string]string{"A": "True Fine", "B": "False Soon", "Ready": "False Soon", "Reconciling": "True Soon", "Stalled": "absent"})
	setConditions(&conditions, 1, now, named{"A", stall("Wrong", "")}, named{"B", wait("Soon", "")})
	check(map[string]string{"Ready": "False Wrong", "Reconciling": "absent", "Stalled": "True Wrong"})
	setConditions(&conditions, 1, now, named{"A", accept("Fine", "")})
	check(map[string]string{"Ready": "True Ready", "Reconciling": "absent", "Stalled": "absent"})
	if got := meta.FindStatusCondition(conditions, "Ready").Message; got != "these conditions are True: A" {
		t.Errorf("Ready says %q", got)
	}
}

func TestSubjectSurvivesAMove(t *testing.T) {
	ada := gen.OIDCUser("sso", "ada", "sso", func(u *v1alpha1.OIDCUser) { u.UID = "one" })
	moved := gen.OIDCUser("sso", "ada", "sso", func(u *v1alpha1.OIDCUser) { u.UID = "two" })
	const issuer = "https://id.example.com"
	if subject(ada, issuer) != subject(moved, issuer) {
		t.Error("the subject depends on more than issuer, namespace and name")
	}
	// Fixed for good: applications have stored it.
	if got := subject(ada, issuer); got != "4cf5133f-79e9-57d6-955f-498c8a490c36" {
		t.Errorf("got %s", got)
	}
	for _, other := range []string{subject(ada, issuer+"/"), subject(gen.OIDCUser("sso", "bob", "sso"), issuer), subject(gen.OIDCUser("x", "ada", "sso"), issuer)} {
		if other == subject(ada, issuer) {
			t.Errorf("%s is used twice", other)
		}
	}
}

// A Secret that somebody has put under our name with a weak secret must not become the client's.
func TestKeptSecret(t *testing.T) {
	c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"))
	owner := resources.Owner(kindClient, types.NamespacedName{Namespace: "apps", Name: "app"})
	secret := func(owner, value string) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "apps", Name: "app-oidc", Annotations: map[string]string{resources.AnnotationOwner: owner},
				Labels: map[string]string{resources.LabelManagedBy: resources.ManagedBy},
			},
			Type: resources.SecretTypeCredentials,
			Data: map[string][]byte{"client_secret": []byte(value)},
		}
	}
	strong := newClientSecret(presets.FormOf(&v1alpha1.OIDCClient{}))
	for name, test := range map[string]struct {
		secret *corev1.Secret
		want   string
	}{
		"ours":              {secret(owner, strong), strong},
		"ours, spoilt":      {secret(owner, "hunter2"), ""},
		"of another":        {secret("OIDCClient/apps/other", strong), ""},
		"none":              {nil, ""},
		"ours, with spaces": {secret(owner, strong+" "), ""},
	} {
		t.Run(name, func(t *testing.T) {
			made := newMadeSecrets().client(c)
			known := clientState{credentials: test.secret}.secrets(c, clientIdentity{}, time.Now(), made)
			got := ""
			if known.current(made) != nil {
				got = known.value
			}
			if got != test.want {
				t.Fatalf("got %q", got)
			}
		})
	}
}

// The default SigningKey makes room for the user's own only at first: after a restore from a backup all are young, and relying parties know each.
func TestReplacedDefaultKey(t *testing.T) {
	now := metav1.NewTime(time.Now().Truncate(time.Second))
	p := gen.OIDCProvider("sso", "sso")
	key := func(name string, change ...func(*v1alpha1.SigningKey)) v1alpha1.SigningKey {
		k := gen.SigningKey("sso", name, "sso", append(change, func(k *v1alpha1.SigningKey) {
			k.CreationTimestamp, k.Generation, k.Status.ActiveKeyID = now, 1, "kid"
			if len(k.Status.Keys) == 0 {
				k.Status.Keys = []v1alpha1.KeyStatus{{KeyID: "kid", CreatedAt: now}}
			}
			if name == "sso-default" {
				k.Labels = map[string]string{resources.LabelManagedBy: resources.ManagedBy}
				k.Annotations = map[string]string{resources.AnnotationOwner: resources.Owner(kindProvider, p.Key())}
			}
		})...)
		return *k
	}
	old := func(k *v1alpha1.SigningKey) {
		k.Status.Keys = []v1alpha1.KeyStatus{{KeyID: "kid", CreatedAt: metav1.NewTime(now.Add(-time.Hour))}}
	}
	deleted := func(k *v1alpha1.SigningKey) { k.DeletionTimestamp = &now }
	for name, test := range map[string]struct {
		keys []v1alpha1.SigningKey
		want bool
	}{
		"the user's own comes":      {[]v1alpha1.SigningKey{key("sso-default"), key("mine")}, true},
		"nothing comes":             {[]v1alpha1.SigningKey{key("sso-default")}, false},
		"both come from a backup":   {[]v1alpha1.SigningKey{key("sso-default", old), key("mine", old)}, false},
		"the user's own goes again": {[]v1alpha1.SigningKey{key("sso-default"), key("mine", deleted)}, false},
		"the user's has the name":   {[]v1alpha1.SigningKey{key("mine"), key("other")}, false},
	} {
		if replaced, _ := replacedDefaultKey(p, test.keys); (replaced != nil) != test.want {
			t.Errorf("%s: replaced is %v", name, replaced)
		}
	}
}
