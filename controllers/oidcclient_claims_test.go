package controllers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// expecting is an example: who logs in, and what is expected; "" for nothing.
func expecting(user, expected string) v1alpha1.ExpressionExample {
	example := v1alpha1.ExpressionExample{User: &runtime.RawExtension{Raw: []byte(user)}}
	if expected != "" {
		example.Expected = &runtime.RawExtension{Raw: []byte(expected)}
	}
	return example
}

func claiming(name, expression string, examples ...v1alpha1.ExpressionExample) v1alpha1.ClientClaim {
	return v1alpha1.ClientClaim{Name: name, Expression: expression, Examples: examples}
}

var _ = Describe("The expressions of an OIDCClient", func() {
	var provider *v1alpha1.OIDCProvider
	var apps string
	BeforeEach(func() {
		namespace := newNamespace(nil)
		apps = newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
		startReplica(provider, "one")
	})
	registered := func(g Gomega) registration.Client {
		list := registrationsOf(provider, "client")(g)
		g.Expect(list).To(HaveLen(1))
		d, err := registration.Parse[registration.Client](list[0].Data["client.json"])
		g.Expect(err).NotTo(HaveOccurred())
		return *d
	}

	It("are refused with the place of what is wrong, and taken when that is mended", func() {
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.Claims = []v1alpha1.ClientClaim{
				claiming("preferred_username", "user.username + '@example.com'"),
				claiming("first_name", "user.givenName + usr.name"),
			}
		}))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonInvalidSpec,
			HavePrefix("spec.claims[1].expression 1:18: undeclared reference to 'usr'")))
		Consistently(func(g Gomega) { g.Expect(registrationsOf(provider, "client")(g)).To(BeEmpty()) }, "300ms").Should(Succeed())
		update(c, func() { c.Spec.Claims[1].Expression = "user.givenName" })
		Eventually(current(c)).Should(match.BeReady())
		update(c, func() { c.Spec.Claims[1].Expression = "user.given_name" })
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonInvalidSpec, ContainSubstring("1:5: undefined field 'given_name'")))
	})

	It("are tried with their examples, which are not registered", func() {
		ada := `{"username":"ada","email":"Ada@example.com","groups":["staff"]}`
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			c.Spec.Claims = []v1alpha1.ClientClaim{
				claiming("preferred_username", "user.username + '@example.com'", expecting(ada, `"ada@example.com"`), expecting(ada, `"bob@example.com"`)),
			}
			c.Spec.Subject = v1alpha1.ClientSubject{
				Mode: v1alpha1.SubjectExpression, Expression: "user.email.lowerAscii()", Examples: []v1alpha1.ExpressionExample{expecting(ada, `"ada"`)},
			}
			c.Spec.Access = v1alpha1.ClientAccess{Rule: "'staff' in user.groups", Examples: []v1alpha1.ExpressionExample{expecting(ada, `false`)}}
		}))
		Eventually(current(c)).Should(match.BeRefused(v1alpha1.ReasonInvalidSpec, And(
			ContainSubstring(`spec.claims[0].examples[1] gives "ada@example.com" instead of "bob@example.com"`),
			ContainSubstring(`spec.subject.examples[0] gives "ada@example.com" instead of "ada"`),
			ContainSubstring(`spec.access.examples[0] gives true instead of false`))))
		update(c, func() {
			c.Spec.Claims[0].Examples[1] = expecting(`{}`, `"@example.com"`)
			c.Spec.Subject.Examples[0] = expecting(ada, `"ada@example.com"`)
			c.Spec.Access.Examples = []v1alpha1.ExpressionExample{expecting(ada, `true`), expecting(`{}`, `false`)}
			c.Spec.Access.Contact, c.Spec.ClaimsIn = "it@example.com", v1alpha1.ClaimsInUserinfo
		})
		Eventually(current(c)).Should(match.BeReady())
		d := registered(Default)
		Expect(d.Claims).To(Equal([]registration.Claim{{Name: "preferred_username", Expression: "user.username + '@example.com'"}}))
		Expect(d).To(And(
			HaveField("SubjectMode", "Expression"), HaveField("SubjectExpression", "user.email.lowerAscii()"), HaveField("SubjectExamples", BeEmpty()),
			HaveField("AccessRule", "'staff' in user.groups"), HaveField("AccessExamples", BeEmpty()),
			HaveField("Contacts", []string{"it@example.com"}), HaveField("ClaimsIn", "Userinfo")))
	})

	It("take examples with values of every kind, and with a time", func() {
		c := create(gen.OIDCClient(apps, "app", provider, func(c *v1alpha1.OIDCClient) {
			at := expecting(`{}`, `true`)
			at.Now = &metav1.Time{Time: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
			c.Spec.Claims = []v1alpha1.ClientClaim{
				claiming("list", "user.groups", expecting(`{"groups":["a","b"]}`, `["a","b"]`)),
				claiming("map", "{'n': 1, 'deep': {'x': [1.5, null]}}", expecting(`{}`, `{"n":1,"deep":{"x":[1.5,null]}}`)),
				claiming("none", "user.nickname", expecting(`{}`, ``), expecting(`{}`, `null`)),
				claiming("time", "now > timestamp('2026-01-01T00:00:00Z')", at, expecting(`{}`, `false`)),
			}
		}))
		Eventually(current(c)).Should(match.BeReady())
	})

	DescribeTable("are checked by the API server as far as it can", func(change func(*v1alpha1.OIDCClient), want string) {
		err := k8s.Create(ctx, gen.OIDCClient("default", "app", gen.OIDCProvider("default", "sso"), change), client.DryRunAll)
		if want == accepted {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
		Entry("a claim", withClaims(claiming("https://example.com/roles", "user.groups")), accepted),
		Entry("the subject", withClaims(claiming("sub", "user.username")), "name must not be sub, which spec.subject decides"),
		Entry("the protocol's", withClaims(claiming("aud", "user.username")), "name must not be a claim of the protocol"),
		Entry("a name that needs quoting", withClaims(claiming(`a"b`, "1")), "name must consist of"),
		Entry("the same name twice", withClaims(claiming("a", "1"), claiming("a", "2")), "Duplicate value"),
		Entry("no expression", withClaims(claiming("a", "")), "expression"),
		Entry("a place that is none", func(c *v1alpha1.OIDCClient) { c.Spec.ClaimsIn = "AccessToken" }, "spec.claimsIn"),
		Entry("a subject", withSubject(v1alpha1.ClientSubject{Mode: v1alpha1.SubjectExpression, Expression: "user.username"}), accepted),
		Entry("a subject without mode", withSubject(v1alpha1.ClientSubject{Expression: "user.username"}), "expression is for mode Expression, and that needs it"),
		Entry("the mode without a subject", withSubject(v1alpha1.ClientSubject{Mode: v1alpha1.SubjectExpression}), "expression is for mode Expression, and that needs it"),
		Entry("examples without a subject", withSubject(v1alpha1.ClientSubject{Examples: []v1alpha1.ExpressionExample{expecting(`{}`, `true`)}}), "examples are of expression"),
		Entry("a rule", withAccess(v1alpha1.ClientAccess{Rule: "true", Contact: "the service desk, extension 123"}), accepted),
		Entry("examples without a rule", withAccess(v1alpha1.ClientAccess{Examples: []v1alpha1.ExpressionExample{expecting(`{}`, `true`)}}), "examples are of rule"),
		Entry("a contact of two lines", withAccess(v1alpha1.ClientAccess{Contact: "a\nb"}), "contact must be one line"),
		Entry("a contact of spaces", withAccess(v1alpha1.ClientAccess{Contact: "  "}), "contact must be one line"),
	)
})

func withClaims(claims ...v1alpha1.ClientClaim) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.Claims = claims }
}

func withSubject(subject v1alpha1.ClientSubject) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.Subject = subject }
}

func withAccess(access v1alpha1.ClientAccess) func(*v1alpha1.OIDCClient) {
	return func(c *v1alpha1.OIDCClient) { c.Spec.Access = access }
}
