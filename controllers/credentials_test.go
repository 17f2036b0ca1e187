package controllers_test

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

const (
	strongSecret = "0123456789abcdef0123456789abcdef"
	otherSecret  = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
)

var _ = Describe("The credentials of an OIDCClient", func() {
	var namespace, apps string
	var provider *v1alpha1.OIDCProvider
	BeforeEach(func() {
		namespace, apps = newNamespace(nil), newNamespace(nil)
		provider = create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
	})
	haveCredentials := match.HaveCondition(v1alpha1.ConditionCredentialsReady, metav1.ConditionTrue, "", nil)
	told := func(status metav1.ConditionStatus, reason string, message gomegatypes.GomegaMatcher) gomegatypes.GomegaMatcher {
		return match.HaveCondition(v1alpha1.ConditionCredentialsReady, status, reason, message)
	}
	credentials := func(changes ...func(*v1alpha1.Credentials)) func(*v1alpha1.OIDCClient) {
		return func(c *v1alpha1.OIDCClient) {
			for _, change := range changes {
				change(&c.Spec.Credentials)
			}
		}
	}
	existing := func(name string) func(*v1alpha1.Credentials) {
		return func(c *v1alpha1.Credentials) { c.ExistingSecretRef = &v1alpha1.ClientSecretReference{Name: name} }
	}
	adopt := func(c *v1alpha1.Credentials) { c.Adopt = new(true) }
	value := func(name, key string) func(Gomega) string {
		return func(g Gomega) string { return string(secretNamed(apps, name)(g).Data[key]) }
	}
	// registered returns the client secrets that the provider accepts.
	registered := func(g Gomega) []registration.ClientSecret {
		list := registrationsOf(provider, "client")(g)
		g.Expect(list).To(HaveLen(1))
		d, err := registration.Parse[registration.Client](list[0].Data["client.json"])
		g.Expect(err).NotTo(HaveOccurred())
		return d.Secrets
	}
	be := func(secret string) gomegatypes.GomegaMatcher {
		return HaveField("Hash", Satisfy(func(hash string) bool { return registration.CheckSecret(hash, secret) }))
	}
	change := func(name, key, value string) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			secret := secretNamed(apps, name)(g)
			secret.Data[key] = []byte(value)
			g.Expect(k8s.Update(ctx, secret)).To(Succeed())
		}).Should(Succeed())
	}
	rotate := func(c *v1alpha1.OIDCClient, request string) {
		GinkgoHelper()
		update(c, func() { c.Annotations = map[string]string{v1alpha1.AnnotationRotate: request} })
	}

	It("stand under the keys that the application wants, with values made from templates", func() {
		c := create(gen.OIDCClient(apps, "app", provider, credentials(func(c *v1alpha1.Credentials) {
			c.Keys = v1alpha1.CredentialsKeys{ClientID: "OIDC_ID", ClientSecret: "OIDC_SECRET"}
			c.Data = map[string]v1alpha1.CredentialsTemplate{"OIDC_URL": `{{ .issuer }}/#{{ .clientID }}`, "login": `{{ .clientID }}:{{ .clientSecret }}`}
		})))
		Eventually(current(c)).Should(haveCredentials)
		data := secretNamed(apps, "app-oidc")(Default).Data
		Expect(data).NotTo(Or(HaveKey("client_id"), HaveKey("client_secret")))
		Expect(string(data["OIDC_URL"])).To(Equal("http://localhost:8080/#" + apps + ".app"))
		Expect(string(data["login"])).To(Equal(apps + ".app:" + string(data["OIDC_SECRET"])))

		By("keeping the client secret when its key changes")
		update(c, func() { c.Spec.Credentials.Keys.ClientSecret = "SECRET" })
		Eventually(value("app-oidc", "SECRET")).Should(Equal(string(data["OIDC_SECRET"])))
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Data", Not(HaveKey("OIDC_SECRET"))))
		Expect(registered(Default)).To(HaveLen(1))
	})

	It("stay as they are while a template has an error, which says where", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		version := secretNamed(apps, "app-oidc")(Default).ResourceVersion
		update(c, func() {
			c.Spec.DisplayName = "Renamed"
			c.Spec.Credentials.Data = map[string]v1alpha1.CredentialsTemplate{"good": "x", "bad": "one\n{{ .isuer }}"}
		})
		Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonInvalidTemplate,
			Equal(`spec.credentials.data: bad, line 2, column 4: <.isuer>: map has no entry for key "isuer"; the Secret stays as it is until then`)))
		Eventually(func(g Gomega) {
			d, err := registration.Parse[registration.Client](registrationsOf(provider, "client")(g)[0].Data["client.json"])
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(d.ClientName).To(Equal("Renamed"), "the rest of the spec does not wait for the Secret")
		}).Should(Succeed())
		Expect(secretNamed(apps, "app-oidc")(Default).ResourceVersion).To(Equal(version))
		update(c, func() { c.Spec.Credentials.Data["bad"] = "{{ .issuer }}" })
		Eventually(value("app-oidc", "bad")).Should(Equal("http://localhost:8080"))

		By("refusing a key that is in use")
		update(c, func() { c.Spec.Credentials.Data = map[string]v1alpha1.CredentialsTemplate{"client_secret": "forged"} })
		Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonInvalidTemplate, ContainSubstring(`the key "client_secret", which is in use already`)))
	})

	It("keep labels and annotations that others have put there, and can be known without the operator's", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		secret := secretNamed(apps, "app-oidc")(Default)
		before := secret.Data["client_secret"]
		secret.Labels = map[string]string{"theirs": "x"}
		secret.Annotations["note"] = "y"
		Expect(k8s.Update(ctx, secret)).To(Succeed())
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Labels", HaveKey("app.kubernetes.io/managed-by")))
		update(c, func() { c.Spec.Credentials.Labels = map[string]string{"ours": "z"} })
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("Labels", And(HaveKeyWithValue("ours", "z"), HaveKeyWithValue("theirs", "x"))))
		secret = secretNamed(apps, "app-oidc")(Default)
		Expect(secret.Annotations).To(HaveKeyWithValue("note", "y"))
		Expect(secret.Data).To(HaveKeyWithValue("client_secret", before))
	})

	Describe("that are brought", func() {
		It("are waited for, followed with overlap, and never hashed again without need", func() {
			startReplica(provider, "one")
			c := create(gen.OIDCClient(apps, "app", provider, credentials(existing("mine"))))
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonClientSecretNotFound, ContainSubstring(`Secret "mine" in namespace "%s" does not exist`, apps)))
			Expect(client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: apps, Name: "app-oidc"}, &corev1.Secret{}))).To(Succeed())
			Expect(registrationsOf(provider, "client")(Default)).To(BeEmpty())
			mine := create(gen.Secret(apps, "mine", map[string]string{"secret": strongSecret}))
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonSecretNotAllowed, ContainSubstring("kubectl -n %s annotate secret mine oidc-operator.dev/allow-client=app", apps)))
			update(mine, func() { mine.Annotations = map[string]string{v1alpha1.AnnotationAllowClient: "other,app"} })
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonClientSecretNotFound, ContainSubstring(`has nothing under "client_secret"`)))
			update(c, func() { c.Spec.Credentials.ExistingSecretRef.Key = "secret" })
			Eventually(current(c)).Should(match.BeReady())
			Expect(value("app-oidc", "client_secret")(Default)).To(Equal(strongSecret))
			Expect(registered(Default)).To(ConsistOf(And(be(strongSecret), HaveField("Hash", HavePrefix("$argon2id$")))))
			hash := registered(Default)[0].Hash

			change("mine", "secret", otherSecret)
			Eventually(value("app-oidc", "client_secret")).Should(Equal(otherSecret))
			Eventually(registered).Should(ConsistOf(And(be(otherSecret), HaveField("NotAfter", BeZero())), And(HaveField("Hash", hash), HaveField("NotAfter", Not(BeZero())))))

			By("keeping what stands while it is gone, and while it is too weak")
			change("mine", "secret", "hunter2hunter2")
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonClientSecretInvalid, And(ContainSubstring("is too weak"), Not(ContainSubstring("hunter2")))))
			Expect(k8s.Delete(ctx, secretNamed(apps, "mine")(Default))).To(Succeed())
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonClientSecretNotFound, ContainSubstring("keeps the client secret that it has")))
			Expect(value("app-oidc", "client_secret")(Default)).To(Equal(otherSecret))
		})

		It("come only from a Secret that is made for such, and not from the one that is written", func() {
			token := gen.Secret(apps, "token", map[string]string{"tls.key": strongSecret, "tls.crt": "x"})
			token.Type = corev1.SecretTypeTLS
			create(token)
			c := create(gen.OIDCClient(apps, "app", provider, credentials(existing("token"), func(c *v1alpha1.Credentials) { c.ExistingSecretRef.Key = "tls.key" })))
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonClientSecretInvalid, ContainSubstring("is of type kubernetes.io/tls")))
			update(c, func() { c.Spec.Credentials.ExistingSecretRef.Name = "app-oidc" })
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonClientSecretInvalid, ContainSubstring("which the operator writes")))
			Expect(registrationsOf(provider, "client")(Default)).To(BeEmpty())
		})
	})

	Describe("in a Secret that is adopted", func() {
		It("keep the client secret, and everything else that stands there", func() {
			create(gen.Secret(apps, "app-oidc", map[string]string{"client_secret": strongSecret, "other": "stays"}, gen.AllowingClient("app")))
			c := create(gen.OIDCClient(apps, "app", provider, credentials(adopt)))
			Eventually(current(c)).Should(haveCredentials)
			secret := secretNamed(apps, "app-oidc")(Default)
			Expect(secret.Type).To(Equal(corev1.SecretTypeOpaque))
			Expect(secret.Data).To(And(HaveKeyWithValue("client_secret", []byte(strongSecret)), HaveKeyWithValue("other", []byte("stays")), HaveKey("issuer")))
			Expect(secret.OwnerReferences).To(BeEmpty(), "it was there before the OIDCClient and is afterwards")
			Eventually(registered).Should(ConsistOf(And(be(strongSecret), HaveField("Hash", HavePrefix("$argon2id$")))))
			rotate(c, "now")
			Eventually(registered).Should(HaveLen(2))
		})

		It("leave it to who made it when the OIDCClient gets another one", func() {
			mine := create(gen.Secret(apps, "app-oidc", map[string]string{"client_secret": strongSecret, "other": "x"}, gen.AllowingClient("app")))
			c := create(gen.OIDCClient(apps, "app", provider, credentials(adopt)))
			Eventually(current(c)).Should(haveCredentials)
			update(c, func() { c.Spec.Credentials = v1alpha1.Credentials{SecretName: "own"} })
			Eventually(value("own", "client_secret")).Should(Equal(strongSecret))
			Eventually(current(c)).Should(HaveField("Status.Credentials.SecretName", "own"))
			Expect(current(mine)(Default)).To(And(HaveField("Data", HaveKey("other")), HaveField("OwnerReferences", BeEmpty())))
			update(c, func() { c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyDelete })
			Eventually(current(mine)).Should(HaveField("Data", Equal(map[string][]byte{"client_secret": []byte(strongSecret), "other": []byte("x")})))
			Expect(mine.Annotations).To(Equal(map[string]string{v1alpha1.AnnotationAllowClient: "app"}))
			Expect(mine.Labels).To(BeEmpty())
		})

		It("are refused where adopting would change what others read, or the client secret is weak", func() {
			create(gen.Secret(apps, "app-oidc", map[string]string{"client_secret": strongSecret, "client_id": "another", "issuer": "https://other.example.com"}, gen.AllowingClient("app")))
			c := create(gen.OIDCClient(apps, "app", provider, credentials(adopt)))
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned, ContainSubstring(`holds something else under "client_id", "issuer"`)))
			create(gen.Secret(apps, "weak", map[string]string{"client_secret": "hunter2"}, gen.AllowingClient("app")))
			update(c, func() { c.Spec.Credentials.SecretName = "weak" })
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonClientSecretInvalid, And(ContainSubstring("is too weak"), Not(ContainSubstring("hunter2")))))
			Expect(value("weak", "client_secret")(Default)).To(Equal("hunter2"))
		})

		It("are not taken from anybody who keeps them", func() {
			other := create(gen.OIDCClient(apps, "other", provider))
			Eventually(current(other)).Should(haveCredentials)
			theirs := value("other-oidc", "client_secret")(Default)
			c := create(gen.OIDCClient(apps, "app", provider, gen.WithSecretName("other-oidc"), credentials(adopt)))
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned, ContainSubstring("belongs to OIDCClient/%s/other", apps)))
			tls := gen.Secret(apps, "tls", map[string]string{"tls.key": "x", "tls.crt": "x"})
			tls.Type = corev1.SecretTypeTLS
			create(tls)
			update(c, func() { c.Spec.Credentials.SecretName = "tls" })
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned, ContainSubstring("is of type kubernetes.io/tls")))
			kept := gen.Secret(apps, "kept", nil)
			kept.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "1234", Controller: new(true)}}
			create(kept)
			update(c, func() { c.Spec.Credentials.SecretName = "kept" })
			Eventually(current(c)).Should(told(metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned, ContainSubstring(`is kept by ConfigMap "x"`)))
			Expect(value("other-oidc", "client_secret")(Default)).To(Equal(theirs))
		})
	})

	It("outlive the OIDCClient when they are retained, and serve the next one of that name", func() {
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		Expect(secretNamed(apps, "app-oidc")(Default).OwnerReferences).To(HaveLen(1))
		update(c, func() { c.Spec.Credentials.DeletionPolicy = v1alpha1.DeletionPolicyRetain })
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("OwnerReferences", BeEmpty()))
		before := value("app-oidc", "client_secret")(Default)
		Expect(k8s.Delete(ctx, c)).To(Succeed())
		Eventually(registrationsOf(provider, "client")).Should(BeEmpty())
		Expect(value("app-oidc", "client_secret")(Default)).To(Equal(before))
		c = create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(haveCredentials)
		Expect(value("app-oidc", "client_secret")(Default)).To(Equal(before))
		Eventually(secretNamed(apps, "app-oidc")).Should(HaveField("OwnerReferences", HaveLen(1)))
	})

	Describe("when they are rotated", func() {
		// token asks the replica for a token and returns the status of the answer.
		token := func(r *replica, c *v1alpha1.OIDCClient, secret string) func(Gomega) int {
			return func(g Gomega) int {
				answer, err := http.PostForm(r.url+"/oauth2/token", url.Values{
					"grant_type": {"client_credentials"}, "client_id": {c.Status.ClientID}, "client_secret": {secret},
				})
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(answer.Body.Close()).To(Succeed())
				return answer.StatusCode
			}
		}
		reasons := func(c *v1alpha1.OIDCClient) func(Gomega) []string {
			return func(g Gomega) []string {
				list := &eventsv1.EventList{}
				g.Expect(k8s.List(ctx, list, client.InNamespace(apps))).To(Succeed())
				var found []string
				for _, e := range list.Items {
					if e.Regarding.UID == c.UID {
						found = append(found, e.Reason)
					}
				}
				return found
			}
		}

		It("work before and after, and status tells who still uses the old ones", func() {
			r, other := startReplica(provider, "one"), startReplica(provider, "two")
			Eventually(current(provider)).Should(HaveField("Status.Replicas.Ready", HaveValue(BeEquivalentTo(2))))
			c := create(gen.OIDCClient(apps, "app", provider, gen.WithGrantTypes("client_credentials"), credentials(func(c *v1alpha1.Credentials) {
				c.Rotation = v1alpha1.ClientSecretRotation{Interval: &metav1.Duration{Duration: 100 * time.Hour}}
			})))
			Eventually(current(c)).Should(match.BeReady())
			first := value("app-oidc", "client_secret")(Default)
			Expect(c.Status.Credentials.RotatedAt).NotTo(BeNil())
			next := c.Status.Credentials.NextRotationTime
			Expect(next.Time).To(BeTemporally("~", c.Status.Credentials.RotatedAt.Add(95*time.Hour), 5*time.Hour+time.Second))

			rotate(c, "now")
			Eventually(value("app-oidc", "client_secret")).ShouldNot(Equal(first))
			second := value("app-oidc", "client_secret")(Default)
			for _, r := range []*replica{r, other} {
				Expect(token(r, c, second)(Default)).To(Equal(http.StatusOK), "each replica knows it before anybody else")
			}
			used := time.Now().UTC()
			Expect(token(other, c, first)(Default)).To(Equal(http.StatusOK))
			Eventually(current(c)).Should(HaveField("Status.Credentials.Previous", Not(BeNil())))
			Expect(c.Status.Credentials.Previous.ExpiresAt.Time).To(Equal(c.Status.Credentials.RotatedAt.Add(24 * time.Hour)))
			Expect(c.Status.Credentials.CurrentSecretID).NotTo(Equal(c.Status.Credentials.Previous.SecretID))
			Expect(c).To(match.BeReady())
			Eventually(reasons(c)).Should(ContainElements("RotationStarted", "SecretRotated"))
			Consistently(value("app-oidc", "client_secret")).Should(Equal(second), "a request is met once")
			Eventually(current(c)).Should(HaveField("Status.Credentials.Previous.LastUsedAt", Not(BeNil())))
			told := c.Status.Credentials.Previous.LastUsedAt.Time
			Expect(told).To(BeTemporally(">=", used.Truncate(time.Minute)), "the one replica that has seen a use is believed")
			Expect(told).To(BeTemporally("<=", used.Add(10*time.Second)))

			By("remembering the use when the replica that has seen it is gone")
			other.stop()
			Eventually(current(provider)).Should(HaveField("Status.Replicas.Ready", HaveValue(BeEquivalentTo(1))))
			Expect(token(r, c, second)(Default)).To(Equal(http.StatusOK))
			Expect(current(c)(Default)).To(HaveField("Status.Credentials.Previous.LastUsedAt", HaveField("Time", BeTemporally("==", told))))

			By("ending the old one at once where the overlap is taken away")
			update(c, func() { c.Spec.Credentials.Rotation.Overlap = &metav1.Duration{} })
			Eventually(registered).Should(ConsistOf(be(second)))
			Eventually(token(r, c, first)).Should(Equal(http.StatusUnauthorized))
			Eventually(reasons(c)).Should(ContainElement("PreviousSecretRetired"))
			Expect(reasons(c)(Default)).NotTo(ContainElement("AwaitingReplicas"), "it has not been unready for a moment")
		})

		It("wait for every replica, and nobody is told that logins fail meanwhile", func() {
			startReplica(provider, "one")
			c := create(gen.OIDCClient(apps, "app", provider))
			Eventually(current(c)).Should(match.BeReady())
			lease := gen.SilentReplica(namespace, "sso", "two")
			create(lease)
			first := value("app-oidc", "client_secret")(Default)
			rotate(c, "now")
			Eventually(registered).Should(ConsistOf(be(first), HaveField("Pending", true)))
			Consistently(value("app-oidc", "client_secret")).Should(Equal(first))
			Eventually(current(c)).Should(told(metav1.ConditionTrue, v1alpha1.ReasonCredentialsIssued, HaveSuffix("a new client secret will follow: provider replica sso-two has not applied the current registration yet")))
			Expect(k8s.Delete(ctx, lease)).To(Succeed())
			Eventually(value("app-oidc", "client_secret")).ShouldNot(Equal(first))
		})

		It("restart the workloads that are named, and say which are not there", func() {
			labels := map[string]string{"app": "x"}
			workload := create(&appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: apps, Name: "app"}, Spec: appsv1.StatefulSetSpec{
				Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: "x"}}}},
			}})
			startReplica(provider, "one")
			c := create(gen.OIDCClient(apps, "app", provider, credentials(func(c *v1alpha1.Credentials) {
				c.RolloutRestart = []v1alpha1.Workload{{Kind: "StatefulSet", Name: "app"}, {Kind: "DaemonSet", Name: "nowhere"}}
			})))
			Eventually(current(c)).Should(match.BeReady())
			Consistently(current(workload)).Should(HaveField("Generation", BeEquivalentTo(1)), "there is nothing to restart for yet")
			rotate(c, "now")
			Eventually(current(workload)).Should(HaveField("Spec.Template.Annotations", HaveKeyWithValue("oidc-operator.dev/restarted-for", HavePrefix("app/"))))
			Eventually(current(c)).Should(told(metav1.ConditionTrue, v1alpha1.ReasonCredentialsIssued, ContainSubstring(`DaemonSet "nowhere" does not exist`)))
			Expect(workload.Spec.Template.Annotations["oidc-operator.dev/restarted-for"]).To(Equal("app/" + c.Status.Credentials.CurrentSecretID))
			update(c, func() { c.Spec.Credentials.RolloutRestart = c.Spec.Credentials.RolloutRestart[:1] })
			Eventually(current(c)).Should(told(metav1.ConditionTrue, v1alpha1.ReasonCredentialsIssued, Not(ContainSubstring("nowhere"))))
			Expect(current(workload)(Default).Generation).To(BeEquivalentTo(2), "once")
		})
	})

	DescribeTable("are refused by the API server with the fix", func(change func(*v1alpha1.Credentials), message string) {
		err := k8s.Create(ctx, gen.OIDCClient(apps, "app", provider, credentials(change)))
		Expect(err).To(MatchError(ContainSubstring(message)))
	},
		Entry("of another namespace", existing("other/mine"), "must be the name of a Secret in this namespace"),
		Entry("of a parent directory", existing("../mine"), "must be the name of a Secret in this namespace"),
		Entry("both brought and adopted", func(c *v1alpha1.Credentials) { existing("mine")(c); adopt(c) }, "remove adopt or existingSecretRef"),
		Entry("both brought and rotated", func(c *v1alpha1.Credentials) {
			existing("mine")(c)
			c.Rotation.Interval = &metav1.Duration{Duration: 48 * time.Hour}
		}, "rotate by changing the Secret that existingSecretRef names"),
		Entry("brought by what is written", func(c *v1alpha1.Credentials) { existing("same")(c); c.SecretName = "same" }, "must differ from secretName"),
		Entry("rotated faster than they retire", func(c *v1alpha1.Credentials) { c.Rotation.Interval = &metav1.Duration{Duration: 23 * time.Hour} }, "interval must be longer than overlap"),
		Entry("with a deadline for nothing", func(c *v1alpha1.Credentials) { c.Rotation.Deadline = &metav1.Duration{Duration: 48 * time.Hour} }, "deadline is only for retire WhenUnused"),
		Entry("with a key that no Secret has", func(c *v1alpha1.Credentials) { c.Keys.ClientID = "a/b" }, "the key of a Secret consists of"),
		Entry("with a template under such a key", func(c *v1alpha1.Credentials) {
			c.Data = map[string]v1alpha1.CredentialsTemplate{"../x": "y"}
		}, "data must have keys of"),
		Entry("with too much of a template", func(c *v1alpha1.Credentials) {
			c.Data = map[string]v1alpha1.CredentialsTemplate{"x": v1alpha1.CredentialsTemplate(strings.Repeat("x", 8193))}
		}, "8192"),
		Entry("with a workload that runs no pods", func(c *v1alpha1.Credentials) { c.RolloutRestart = []v1alpha1.Workload{{Kind: "Job", Name: "x"}} }, "Unsupported value"),
		Entry("with a workload under no name", func(c *v1alpha1.Credentials) {
			c.RolloutRestart = []v1alpha1.Workload{{Kind: "Deployment", Name: "a/b"}}
		}, "must be the name of a workload in this namespace"),
	)
})

var _ = Describe("A client secret that has leaked", func() {
	It("ends at once by its ID, and the application gets another", func() {
		namespace, apps := newNamespace(nil), newNamespace(nil)
		provider := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		create(gen.SigningKey(namespace, "key", "sso"))
		startReplica(provider, "one")
		c := create(gen.OIDCClient(apps, "app", provider))
		Eventually(current(c)).Should(match.BeReady())
		leaked, id := clientSecretOf(c), c.Status.Credentials.CurrentSecretID
		update(c, func() { c.Annotations = map[string]string{v1alpha1.AnnotationRevoke: id} })
		Eventually(current(c)).Should(And(match.BeReady(), HaveField("Status.Credentials.CurrentSecretID", Not(Equal(id)))))
		Expect(clientSecretOf(c)).NotTo(Equal(leaked))
		Eventually(registeredFor(provider, c.ClientID())).Should(HaveField("Secrets", HaveExactElements(
			And(HaveField("ID", c.Status.Credentials.CurrentSecretID), HaveField("NotAfter", BeZero()), HaveField("Pending", false)),
			And(HaveField("ID", id), HaveField("NotAfter", BeTemporally("<", time.Now()))))))
		Eventually(reasonsOf(c)).Should(ContainElement(v1alpha1.ReasonClientSecretRevoked))
	})
})
