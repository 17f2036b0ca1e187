package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

var _ = Describe("Validation by the API server of a preset", func() {
	submit := func(preset v1alpha1.ClientPreset, want string) {
		GinkgoHelper()
		err := k8s.Create(ctx, gen.OIDCClient("default", "app", gen.OIDCProvider("default", "sso"), gen.WithPreset(preset)), client.DryRunAll)
		if want == accepted {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(ContainSubstring(want)))
	}

	It("asks for one application", func() {
		submit(v1alpha1.ClientPreset{}, "preset must hold exactly one application")
		submit(v1alpha1.ClientPreset{Synapse: synapsePreset(), MAS: masPreset()}, "preset must hold exactly one application")
	})

	DescribeTable("for Synapse", func(change func(*v1alpha1.SynapsePreset), want string) {
		s := synapsePreset()
		change(s)
		submit(v1alpha1.ClientPreset{Synapse: s}, want)
	},
		Entry("no more than what is required", func(*v1alpha1.SynapsePreset) {}, accepted),
		Entry("a base URL with a path and slash", func(s *v1alpha1.SynapsePreset) { s.PublicBaseURL = "https://example.com:8448/matrix/" }, accepted),
		Entry("a base URL on a loopback host", func(s *v1alpha1.SynapsePreset) { s.PublicBaseURL = "http://localhost:8008" }, accepted),
		Entry("an http base URL", func(s *v1alpha1.SynapsePreset) { s.PublicBaseURL = "http://matrix.example.com" }, "publicBaseURL must be an https URL"),
		Entry("a base URL without a host", func(s *v1alpha1.SynapsePreset) { s.PublicBaseURL = "https:///x" }, "publicBaseURL must be an https URL"),
		Entry("a base URL with a query", func(s *v1alpha1.SynapsePreset) { s.PublicBaseURL = "https://matrix.example.com/?a=b" }, "publicBaseURL must be an https URL without query and fragment"),
		Entry("a base URL with a user", func(s *v1alpha1.SynapsePreset) { s.PublicBaseURL = "https://ada@matrix.example.com" }, "publicBaseURL must be an https URL"),
		Entry("no base URL", func(s *v1alpha1.SynapsePreset) { s.PublicBaseURL = "" }, "spec.preset.synapse.publicBaseURL"),
		Entry("every character of an ID", func(s *v1alpha1.SynapsePreset) { s.IDPID = "aZ09._~-" }, accepted),
		Entry("an ID with a space", func(s *v1alpha1.SynapsePreset) { s.IDPID = "our sso" }, "idpID must consist of the characters A-Z a-z 0-9 . _ ~ -"),
		Entry("no ID", func(s *v1alpha1.SynapsePreset) { s.IDPID = "" }, "spec.preset.synapse.idpID"),
		Entry("an icon from the web", func(s *v1alpha1.SynapsePreset) { s.IDPIcon = "https://example.com/icon.png" }, "idpIcon must be the address of an upload"),
		Entry("a brand in capitals", func(s *v1alpha1.SynapsePreset) { s.IDPBrand = "Example" }, "idpBrand must begin with a letter"),
		Entry("a requirement that the claim is there", func(s *v1alpha1.SynapsePreset) {
			s.AttributeRequirements = []v1alpha1.SynapseAttributeRequirement{{Attribute: "groups"}}
		}, accepted),
		Entry("two requirements of one claim", func(s *v1alpha1.SynapsePreset) {
			s.AttributeRequirements = []v1alpha1.SynapseAttributeRequirement{{Attribute: "groups", Value: "a"}, {Attribute: "groups", OneOf: []string{"b", "c"}}}
		}, accepted),
		Entry("a requirement of one value and several", func(s *v1alpha1.SynapsePreset) {
			s.AttributeRequirements = []v1alpha1.SynapseAttributeRequirement{{Attribute: "groups", Value: "a", OneOf: []string{"b"}}}
		}, "an attribute requirement must not hold both value and oneOf; move value into oneOf"),
		Entry("a relative mount path", func(s *v1alpha1.SynapsePreset) { s.SecretMountPath = "oidc" }, "secretMountPath must be an absolute path"),
		Entry("a mount path that climbs", func(s *v1alpha1.SynapsePreset) { s.SecretMountPath = "/etc/../oidc" }, "secretMountPath must be an absolute path"),
		Entry("a mount path for an inline secret", func(s *v1alpha1.SynapsePreset) {
			s.SecretDelivery, s.SecretMountPath = v1alpha1.SecretDeliveryInline, "/etc/oidc"
		}, "secretMountPath is only for secretDelivery Path; remove it"),
		Entry("a delivery that there is not", func(s *v1alpha1.SynapsePreset) { s.SecretDelivery = "Mail" }, "secretDelivery"),
		Entry("parameters", func(s *v1alpha1.SynapsePreset) {
			s.AdditionalAuthorizationParameters = map[string]string{"prompt": "login"}
		}, accepted),
		Entry("parameters that Synapse sends", func(s *v1alpha1.SynapsePreset) { s.AdditionalAuthorizationParameters = map[string]string{"state": "x"} }, "additionalAuthorizationParameters must not hold a parameter that Synapse sends itself"),
		Entry("a subject to ignore at no logout", func(s *v1alpha1.SynapsePreset) {
			s.BackchannelLogout, s.BackchannelLogoutIgnoreSub = new(false), new(true)
		}, "backchannelLogoutIgnoreSub needs backchannelLogout"),
	)

	DescribeTable("for the Matrix Authentication Service", func(change func(*v1alpha1.MASPreset), want string) {
		m := masPreset()
		change(m)
		submit(v1alpha1.ClientPreset{MAS: m}, want)
	},
		Entry("no more than what is required", func(*v1alpha1.MASPreset) {}, accepted),
		Entry("an http base URL", func(m *v1alpha1.MASPreset) { m.PublicBaseURL = "http://account.example.com" }, "publicBaseURL must be an https URL"),
		Entry("an ID with a letter that ULIDs have not", func(m *v1alpha1.MASPreset) { m.ID = "01HFVBY12TMNTYTBV8W921M5FI" }, "id must be a ULID"),
		Entry("an ID that is too large", func(m *v1alpha1.MASPreset) { m.ID = "81HFVBY12TMNTYTBV8W921M5FA" }, "id must be a ULID"),
		Entry("an ID that is too short", func(m *v1alpha1.MASPreset) { m.ID = "01HFVBY12TMNTYTBV8W921M5F" }, "spec.preset.mas.id"),
		Entry("an idp_id of Synapse without its prefix", func(m *v1alpha1.MASPreset) { m.SynapseIDPID = "sso" }, "synapseIDPID must be oidc-"),
		Entry("a link to an existing account of a name that people may choose", func(m *v1alpha1.MASPreset) {
			m.ClaimsImports.Localpart = v1alpha1.MASLocalpartImport{Action: v1alpha1.MASImportSuggest, OnConflict: v1alpha1.MASConflictAdd}
		}, "onConflict other than Fail needs the action Force or Require"),
		Entry("a link to an existing account", func(m *v1alpha1.MASPreset) { m.ClaimsImports.Localpart.OnConflict = v1alpha1.MASConflictReplace }, accepted),
		Entry("no page for a suggestion", func(m *v1alpha1.MASPreset) {
			m.ClaimsImports.SkipConfirmation, m.ClaimsImports.Email.Action = new(true), v1alpha1.MASImportSuggest
		}, "skipConfirmation needs the action Require for localpart"),
		Entry("no page where nothing is suggested", func(m *v1alpha1.MASPreset) {
			m.ClaimsImports.SkipConfirmation, m.ClaimsImports.Email.Action = new(true), v1alpha1.MASImportIgnore
		}, accepted),
		Entry("a discovery mode that there is not", func(m *v1alpha1.MASPreset) { m.DiscoveryMode = "Never" }, "discoveryMode"),
		Entry("a mount path for an inline secret", func(m *v1alpha1.MASPreset) {
			m.SecretDelivery, m.SecretMountPath = v1alpha1.SecretDeliveryInline, "/etc/oidc"
		}, "secretMountPath is only for secretDelivery Path; remove it"),
	)

	DescribeTable("for Synology DSM", func(change func(*v1alpha1.SynologyDSMPreset), want string) {
		d := synologyDSMPreset()
		change(d)
		submit(v1alpha1.ClientPreset{SynologyDSM: d}, want)
	},
		Entry("no more than what is required", func(*v1alpha1.SynologyDSMPreset) {}, accepted),
		Entry("several addresses", func(d *v1alpha1.SynologyDSMPreset) {
			d.URLs = []string{"https://nas.example.com", "https://192.0.2.7:5001", "https://[2001:db8::1]:5001", "http://localhost:5000"}
		}, accepted),
		Entry("no address", func(d *v1alpha1.SynologyDSMPreset) { d.URLs = nil }, "spec.preset.synologyDSM.urls"),
		Entry("a slash at the end", func(d *v1alpha1.SynologyDSMPreset) { d.URLs = []string{"https://nas.example.com:5001/"} }, "urls must be https addresses with the port and nothing after it, not even a slash"),
		Entry("a path", func(d *v1alpha1.SynologyDSMPreset) { d.URLs = []string{"https://nas.example.com:5001/webman"} }, "urls must be https addresses with the port and nothing after it"),
		Entry("a query", func(d *v1alpha1.SynologyDSMPreset) { d.URLs = []string{"https://nas.example.com:5001?a"} }, "urls must be https addresses"),
		Entry("a user", func(d *v1alpha1.SynologyDSMPreset) { d.URLs = []string{"https://ada@nas.example.com"} }, "urls must be https addresses"),
		Entry("http", func(d *v1alpha1.SynologyDSMPreset) { d.URLs = []string{"http://nas.example.com:5000"} }, "urls must be https addresses"),
		Entry("no scheme", func(d *v1alpha1.SynologyDSMPreset) { d.URLs = []string{"nas.example.com:5001"} }, "urls must be https addresses"),
		Entry("LDAP", func(d *v1alpha1.SynologyDSMPreset) {
			d.AccountType, d.UsernameDomain = v1alpha1.SynologyAccountLDAP, "example.com"
		}, accepted),
		Entry("LDAP without a domain", func(d *v1alpha1.SynologyDSMPreset) { d.AccountType = v1alpha1.SynologyAccountLDAP }, "usernameDomain must be set for accountType LDAP and Domain"),
		Entry("a domain without its name", func(d *v1alpha1.SynologyDSMPreset) { d.AccountType = v1alpha1.SynologyAccountDomain }, "usernameDomain must be set for accountType LDAP and Domain"),
		Entry("local accounts of a domain", func(d *v1alpha1.SynologyDSMPreset) { d.UsernameDomain = "example.com" }, "and only for those"),
		Entry("a domain with an @", func(d *v1alpha1.SynologyDSMPreset) {
			d.AccountType, d.UsernameDomain = v1alpha1.SynologyAccountDomain, "@example.com"
		}, "usernameDomain must be what stands after the @"),
		Entry("a domain with a quote", func(d *v1alpha1.SynologyDSMPreset) {
			d.AccountType, d.UsernameDomain = v1alpha1.SynologyAccountDomain, "example'.com"
		}, "usernameDomain must be what stands after the @"),
		Entry("a claim with a quote", func(d *v1alpha1.SynologyDSMPreset) { d.UsernameClaim = "user'name" }, "usernameClaim must consist of letters, digits and _"),
		Entry("an account type that there is not", func(d *v1alpha1.SynologyDSMPreset) { d.AccountType = "NIS" }, "accountType"),
	)

	DescribeTable("for an application of Synology SSO Server", func(change func(*v1alpha1.SynologySSOPreset), want string) {
		d := &v1alpha1.SynologySSOPreset{RedirectURIs: []string{"https://app.example.com"}}
		change(d)
		submit(v1alpha1.ClientPreset{SynologySSO: d}, want)
	},
		Entry("no more than what is required", func(*v1alpha1.SynologySSOPreset) {}, accepted),
		Entry("an app_id", func(d *v1alpha1.SynologySSOPreset) { d.AppID = "153fcb35b01571b49cb0adca3a4bda40" }, accepted),
		Entry("an app_id in capitals", func(d *v1alpha1.SynologySSOPreset) { d.AppID = "153FCB35B01571B49CB0ADCA3A4BDA40" }, "appID must be 32 of the characters 0-9 a-f"),
		Entry("a short app_id", func(d *v1alpha1.SynologySSOPreset) { d.AppID = "153f" }, "spec.preset.synologySSO.appID"),
		Entry("no page", func(d *v1alpha1.SynologySSOPreset) { d.RedirectURIs = nil }, "spec.preset.synologySSO.redirectURIs"),
		Entry("a fragment", func(d *v1alpha1.SynologySSOPreset) { d.RedirectURIs = []string{"https://app.example.com/#x"} }, "redirectURIs must not have a fragment"),
	)

	It("keeps what applications have written into their accounts", func() {
		namespace := newNamespace(nil)
		provider := gen.OIDCProvider(namespace, "sso")
		s := create(gen.OIDCClient(namespace, "synapse", provider, gen.WithPreset(v1alpha1.ClientPreset{Synapse: synapsePreset()})))
		merge := func(c *v1alpha1.OIDCClient, preset string) error {
			return k8s.Patch(ctx, c, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"preset":`+preset+`}}`)))
		}
		Expect(merge(s, `{"synapse":{"idpID":"another"}}`)).To(MatchError(ContainSubstring("idpID cannot be changed, because Synapse keeps it with every linked account")))
		m := create(gen.OIDCClient(namespace, "mas", provider, gen.WithPreset(v1alpha1.ClientPreset{MAS: masPreset()})))
		Expect(merge(m, `{"mas":{"id":"01HFVBY12TMNTYTBV8W921M5FB"}}`)).To(MatchError(ContainSubstring("id cannot be changed, because the service keeps it with every linked account")))
	})
})

func synapsePreset() *v1alpha1.SynapsePreset {
	return &v1alpha1.SynapsePreset{PublicBaseURL: "https://matrix.example.com", IDPID: "sso"}
}

func synologyDSMPreset() *v1alpha1.SynologyDSMPreset {
	return &v1alpha1.SynologyDSMPreset{URLs: []string{"https://nas.example.com:5001"}}
}

func masPreset() *v1alpha1.MASPreset {
	return &v1alpha1.MASPreset{PublicBaseURL: "https://account.example.com", ID: "01HFVBY12TMNTYTBV8W921M5FA"}
}
