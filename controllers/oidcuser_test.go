package controllers_test

import (
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

var _ = Describe("An OIDCUser", func() {
	var namespace string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace = newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})

	registered := func(g Gomega) registration.User {
		list := registrationsOf(provider, "user")(g)
		g.Expect(list).To(HaveLen(1))
		var d registration.User
		g.Expect(json.Unmarshal(list[0].Data["user.json"], &d)).To(Succeed())
		g.Expect(d.Validate()).To(Succeed())
		return d
	}
	havePassword := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)
	knowPassword := func(password string) func(Gomega) {
		return func(g Gomega) {
			g.Expect(registration.CheckPassword(registered(g).PasswordHash, password)).To(BeTrue())
		}
	}

	It("gets a random password, a subject for good and its claims registered", func() {
		u := create(gen.OIDCUser(namespace, "ada", "sso", func(u *v1alpha1.OIDCUser) {
			u.Spec.Email, u.Spec.EmailVerified, u.Spec.DisplayName = "ada@example.com", new(true), "Ada Lovelace"
			u.Spec.Groups = []string{"admins"}
			u.Spec.Address = &v1alpha1.Address{Locality: "London"}
		}))
		Eventually(current(u)).Should(havePassword)
		secret := secretNamed(namespace, "ada-password")(Default)
		Expect(metav1.IsControlledBy(secret, u)).To(BeTrue())
		Expect(string(secret.Data["username"])).To(Equal("ada"))
		Expect(string(secret.Data["password"])).To(MatchRegexp(`^[A-Za-z0-9]{24}$`))
		d := registered(Default)
		Expect(d.PasswordHash).To(HavePrefix("$argon2id$"))
		knowPassword(string(secret.Data["password"]))(Default)
		Expect(d.Email).To(Equal("ada@example.com"))
		Expect(d.EmailVerified).To(BeTrue())
		Expect(d.Groups).To(ConsistOf("admins"))
		Expect(d.Address.Locality).To(Equal("London"))
		Expect(d.Subject).To(MatchRegexp(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-`), "a UUID of version 5")
		Eventually(current(u)).Should(HaveField("Status.Subject", d.Subject))
		Expect(u.Status.PasswordSecretName).To(Equal("ada-password"))
	})

	It("is Ready when a replica knows it", func() {
		u := create(gen.OIDCUser(namespace, "ada", "sso"))
		startReplica(provider, "one")
		Eventually(current(u)).Should(match.BeReady())
	})

	It("keeps the hash of a password that has not changed", func() {
		u := create(gen.OIDCUser(namespace, "ada", "sso"))
		Eventually(current(u)).Should(havePassword)
		before := registered(Default).PasswordHash
		Eventually(func(g Gomega) {
			current(u)(g).Spec.Nickname = "countess"
			g.Expect(k8s.Update(ctx, u)).To(Succeed())
		}).Should(Succeed())
		Eventually(func(g Gomega) { g.Expect(registered(g).Nickname).To(Equal("countess")) }).Should(Succeed())
		Expect(registered(Default).PasswordHash).To(Equal(before))
	})

	It("waits for a password that is to be brought, takes it, and follows its changes", func() {
		u := create(gen.OIDCUser(namespace, "ada", "sso", gen.WithPasswordFrom("ada-login", "pw")))
		Eventually(current(u)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonPasswordSecretNotFound,
			Equal(`Secret "ada-login" does not exist; create it with the password under the key "pw" or correct spec.passwordSecretRef`)))
		Expect(registrationsOf(provider, "user")(Default)).To(BeEmpty())

		secret := create(gen.Secret(namespace, "ada-login", map[string]string{"other": "x"}))
		Eventually(current(u)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonPasswordKeyNotFound,
			ContainSubstring(`nothing under the key "pw"`)))
		set := func(value string) {
			Eventually(func(g Gomega) {
				current(secret)(g).StringData = map[string]string{"pw": value}
				g.Expect(k8s.Update(ctx, secret)).To(Succeed())
			}).Should(Succeed())
		}
		set("open sesame\n")
		Eventually(knowPassword("open sesame")).Should(Succeed(), "without the line break that a file ends with")
		Eventually(current(u)).Should(havePassword)
		set("another")
		Eventually(knowPassword("another")).Should(Succeed())
		set("$argon2id$broken")
		Eventually(current(u)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonPasswordInvalid, nil))
		hash := registration.HashPassword("hashed elsewhere")
		set(hash)
		Eventually(func(g Gomega) { g.Expect(registered(g).PasswordHash).To(Equal(hash)) }).Should(Succeed())
	})

	It("can be disabled although its password Secret is gone", func() {
		secret := create(gen.Secret(namespace, "ada-login", map[string]string{"password": "open sesame"}))
		u := create(gen.OIDCUser(namespace, "ada", "sso", gen.WithPasswordFrom("ada-login", "")))
		Eventually(current(u)).Should(havePassword)
		Expect(k8s.Delete(ctx, secret)).To(Succeed())
		Eventually(current(u)).ShouldNot(havePassword)
		Eventually(func(g Gomega) {
			current(u)(g).Spec.Disabled = new(true)
			g.Expect(k8s.Update(ctx, u)).To(Succeed())
		}).Should(Succeed())
		Eventually(func(g Gomega) { g.Expect(registered(g).Disabled).To(BeTrue()) }).Should(Succeed())
	})

	It("gives way to an older one of the same username, in any case, or subject", func() {
		first := create(gen.OIDCUser(namespace, "first", "sso", func(u *v1alpha1.OIDCUser) { u.Spec.Username, u.Spec.Subject = "Ada", "s-1" }))
		Eventually(current(first)).Should(havePassword)
		second := create(gen.OIDCUser(namespace, "second", "sso", func(u *v1alpha1.OIDCUser) { u.Spec.Username = "ada" }))
		Eventually(current(second)).Should(match.BeRefused(v1alpha1.ReasonUsernameTaken, ContainSubstring(`older OIDCUser "first"`)))
		third := create(gen.OIDCUser(namespace, "third", "sso", func(u *v1alpha1.OIDCUser) { u.Spec.Subject = "s-1" }))
		Eventually(current(third)).Should(match.BeRefused(v1alpha1.ReasonSubjectTaken, ContainSubstring(`older OIDCUser "first"`)))
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		Eventually(current(second)).Should(havePassword)
		Eventually(current(third)).Should(havePassword)
	})

	It("takes no password from another namespace that pretends to have its registration", func() {
		evil := newNamespace(nil)
		forge := func() {
			forged := gen.Secret(evil, "forged", map[string]string{"user.json": `{"password_hash":"` + registration.HashPassword("mallory's") + `"}`})
			forged.Type = "oidc-operator.dev/registration"
			forged.Labels = map[string]string{
				"app.kubernetes.io/managed-by": "oidc-operator", "oidc-operator.dev/registration": "user", "oidc-operator.dev/provider": "sso",
			}
			forged.Annotations = map[string]string{
				"oidc-operator.dev/owner": "OIDCUser/" + namespace + "/ada", "oidc-operator.dev/password-source": "ada-login/password/1",
			}
			create(forged)
		}
		forge()
		u := create(gen.OIDCUser(namespace, "ada", "sso", gen.WithPasswordFrom("ada-login", "")))
		Eventually(current(u)).Should(match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionFalse, v1alpha1.ReasonPasswordSecretNotFound, nil))
		Consistently(registrationsOf(provider, "user")).Should(BeEmpty())
		create(gen.Secret(namespace, "ada-login", map[string]string{"password": "open sesame"}))
		Eventually(knowPassword("open sesame")).Should(Succeed())
	})

	It("keeps a generated password until another one is in force", func() {
		u := create(gen.OIDCUser(namespace, "ada", "sso"))
		Eventually(current(u)).Should(havePassword)
		value := string(secretNamed(namespace, "ada-password")(Default).Data["password"])
		refer := func(name string) {
			Eventually(func(g Gomega) {
				current(u)(g).Spec.PasswordSecretRef = &v1alpha1.SecretKeyReference{Name: name}
				g.Expect(k8s.Update(ctx, u)).To(Succeed())
			}).Should(Succeed())
			Eventually(current(u)).Should(HaveField("Status.ObservedGeneration", u.Generation))
		}
		refer("not-there")
		Consistently(secretNamed(namespace, "ada-password")).Should(HaveField("Data", HaveKeyWithValue("password", []byte(value))))
		refer("ada-password")
		Consistently(secretNamed(namespace, "ada-password")).Should(HaveField("Data", HaveKeyWithValue("password", []byte(value))))
		knowPassword(value)(Default)
	})

	It("is told of another one with the same e-mail address, as long as there is one", func() {
		withEmail := func(email string) func(*v1alpha1.OIDCUser) {
			return func(u *v1alpha1.OIDCUser) { u.Spec.Email = email }
		}
		ada := create(gen.OIDCUser(namespace, "ada", "sso", withEmail("ada@example.com")))
		Eventually(current(ada)).Should(havePassword)
		warned := func(other string) types.GomegaMatcher {
			return match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted,
				ContainSubstring(`OIDCUser "`+other+`" has the same e-mail address`))
		}
		fine := match.HaveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, Equal(`accepted by OIDCProvider "sso"`))
		bob := create(gen.OIDCUser(namespace, "bob", "sso", withEmail("Ada@Example.com")))
		Eventually(current(bob)).Should(warned("ada"))
		Eventually(current(ada)).Should(warned("bob"))
		Eventually(func(g Gomega) {
			current(bob)(g).Spec.Email = "bob@example.com"
			g.Expect(k8s.Update(ctx, bob)).To(Succeed())
		}).Should(Succeed())
		Eventually(current(ada)).Should(fine)
		Eventually(current(bob)).Should(fine)
	})

	It("says when what is known of the person was last changed, and goes on saying that", func() {
		u := create(gen.OIDCUser(namespace, "ada", "sso"))
		Eventually(current(u)).Should(havePassword)
		first := registered(Default).UpdatedAt
		Expect(time.Unix(first, 0)).To(BeTemporally("~", time.Now(), 5*time.Minute))

		change := func(how func(*v1alpha1.OIDCUser)) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				how(current(u)(g))
				g.Expect(k8s.Update(ctx, u)).To(Succeed())
			}).Should(Succeed())
		}
		time.Sleep(time.Until(time.Unix(first+1, 0))) // the claim has whole seconds
		change(func(u *v1alpha1.OIDCUser) { u.Spec.Disabled = new(true) })
		Eventually(registered).Should(HaveField("Disabled", true))
		Expect(registered(Default).UpdatedAt).To(Equal(first), "nobody is told of that")

		change(func(u *v1alpha1.OIDCUser) { u.Spec.Nickname = "Countess" })
		Eventually(registered).Should(HaveField("Nickname", "Countess"))
		second := registered(Default).UpdatedAt
		Expect(second).To(BeNumerically(">", first))

		time.Sleep(time.Until(time.Unix(second+1, 0)))
		change(func(u *v1alpha1.OIDCUser) { u.Spec.Username = "augusta" })
		Eventually(registered).Should(And(HaveField("Username", "augusta"), HaveField("UpdatedAt", BeNumerically(">", second))))
	})

	It("does not get the subject that an older one has by default", func() {
		ada := create(gen.OIDCUser(namespace, "ada", "sso"))
		Eventually(current(ada)).Should(havePassword)
		eve := create(gen.OIDCUser(namespace, "eve", "sso", func(u *v1alpha1.OIDCUser) { u.Spec.Subject = ada.Status.Subject }))
		Eventually(current(eve)).Should(match.BeRefused(v1alpha1.ReasonSubjectTaken, ContainSubstring(`older OIDCUser "ada"`)))
		Expect(registered(Default).Username).To(Equal("ada"))
	})

	It("leaves a Secret of somebody else alone", func() {
		theirs := create(gen.Secret(namespace, "ada-password", map[string]string{"password": "theirs"}))
		u := create(gen.OIDCUser(namespace, "ada", "sso"))
		Eventually(current(u)).Should(match.BeRefused(v1alpha1.ReasonSecretNotOwned, ContainSubstring("spec.passwordSecretRef")))
		Expect(k8s.Delete(ctx, theirs)).To(Succeed())
		Eventually(current(u)).Should(havePassword)
	})

	It("moves its registration to a new username with the password it has", func() {
		secret := create(gen.Secret(namespace, "ada-login", map[string]string{"password": "open sesame"}))
		u := create(gen.OIDCUser(namespace, "ada", "sso", gen.WithPasswordFrom(secret.Name, "")))
		Eventually(current(u)).Should(havePassword)
		subject := registered(Default).Subject
		Eventually(func(g Gomega) {
			current(u)(g).Spec.Username = "countess"
			g.Expect(k8s.Update(ctx, u)).To(Succeed())
		}).Should(Succeed())
		Eventually(func(g Gomega) { g.Expect(registered(g).Username).To(Equal("countess")) }).Should(Succeed())
		Expect(registered(Default).Subject).To(Equal(subject))
		knowPassword("open sesame")(Default)
	})

	It("is withdrawn when it is deleted", func() {
		u := create(gen.OIDCUser(namespace, "ada", "sso"))
		Eventually(current(u)).Should(havePassword)
		Expect(k8s.Delete(ctx, u)).To(Succeed())
		Eventually(registrationsOf(provider, "user")).Should(BeEmpty())
	})
})
