package v1alpha1

// GrafanaPreset is what Grafana must be told of an identity provider besides what the provider itself is: the section
// auth.generic_oauth of its configuration.
//
// +kubebuilder:validation:XValidation:rule="!has(self.roleAttributePath) || !has(self.roles)",message="grafana must hold either roles or roleAttributePath; roles makes a roleAttributePath"
// +kubebuilder:validation:XValidation:rule="!has(self.secretMountPath) || !has(self.secretDelivery) || self.secretDelivery == 'Path'",message="secretMountPath is only for secretDelivery Path; remove it"
type GrafanaPreset struct {
	// rootURL is Grafana's root_url, with or without a slash at the end. Redirect and logout URI follow from it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9._:\\\\[\\\\]-]+(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",message="rootURL must be an https URL without query and fragment, such as https://grafana.example.com; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	RootURL string `json:"rootURL,omitempty"`

	// name is what the button on Grafana's login page says. Unset: SSO.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name,omitempty"`

	// autoLogin skips Grafana's login page. Unset: false.
	// +optional
	AutoLogin *bool `json:"autoLogin,omitempty"`

	// allowSignUp gives people who have no account one when they log in. Unset: true.
	// +optional
	AllowSignUp *bool `json:"allowSignUp,omitempty"`

	// roles gives people their role by their groups, at every login. Unset: see roleAttributePath; without either, everybody
	// gets auto_assign_org_role when their account is made, and it can be changed in Grafana.
	// +optional
	Roles *GrafanaRoles `json:"roles,omitempty"`

	// roleAttributePath is an expression (JMESPath) that makes a role of the claims. Unset: see roles.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	RoleAttributePath string `json:"roleAttributePath,omitempty"`

	// signOut ends the login session at the provider when somebody signs out of Grafana. Unset: true.
	// +optional
	SignOut *bool `json:"signOut,omitempty"`

	// caFile is the file in Grafana's container with the certificate of a private authority that has issued the provider's.
	// Unset: those of the system.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(/[A-Za-z0-9._~@+=:,-]+)+/?$') && !self.matches('/[.]{1,2}(/|$)')",message="caFile must be an absolute path, such as /etc/ssl/example.crt"
	CAFile string `json:"caFile,omitempty"`

	// settings are further ones of the section, by their names, such as icon or org_mapping; they win over those that the preset
	// makes. Unset: none.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[a-z][a-z0-9_]*$'))",message="settings must be named as in Grafana's configuration: a-z 0-9 and _, beginning with a letter"
	// +kubebuilder:validation:XValidation:rule="!('client_id' in self) && !('client_secret' in self)",message="settings must not hold client_id and client_secret, which are those of the OIDCClient"
	Settings map[string]GrafanaSetting `json:"settings,omitempty"`

	// secretDelivery says how grafana.ini comes by the client secret: Path (it names the file beside it in the Secret and holds
	// none itself) or Inline. Unset: Path.
	// +optional
	SecretDelivery SecretDelivery `json:"secretDelivery,omitempty"`

	// secretMountPath is the directory in Grafana's container where the Secret is mounted. Unset: /etc/oidc.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(/[A-Za-z0-9._~@+=:,-]+)+/?$') && !self.matches('/[.]{1,2}(/|$)')",message="secretMountPath must be an absolute path, such as /etc/oidc"
	SecretMountPath string `json:"secretMountPath,omitempty"`
}

// GrafanaSetting is the value of a setting.
//
// +kubebuilder:validation:MaxLength=4096
// +kubebuilder:validation:XValidation:rule="!self.matches('[\\r\\n]')",message="settings must be single lines"
type GrafanaSetting string

// GrafanaRoles gives people the highest role for which they are in a group.
//
// +kubebuilder:validation:XValidation:rule="has(self.grafanaAdmin) || has(self.admin) || has(self.editor) || has(self.viewer)",message="roles must name a group for at least one role; remove it to let Grafana decide"
type GrafanaRoles struct {
	// grafanaAdmin are the groups whose members administer the whole server. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	GrafanaAdmin []string `json:"grafanaAdmin,omitempty"`

	// admin are the groups whose members administer the organization. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Admin []string `json:"admin,omitempty"`

	// editor are the groups whose members edit dashboards. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Editor []string `json:"editor,omitempty"`

	// viewer are the groups whose members look at dashboards. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Viewer []string `json:"viewer,omitempty"`

	// others is the role of everybody else: Viewer, Editor, None (an account without any rights) or Deny (no login). Unset:
	// Viewer, or Deny where viewer names groups.
	// +optional
	Others GrafanaOthers `json:"others,omitempty"`
}

// GrafanaOthers is the role of those who are in no group that has one.
//
// +kubebuilder:validation:Enum=Viewer;Editor;None;Deny
type GrafanaOthers string

// The roles of those who are in no group that has one.
const (
	GrafanaOthersViewer GrafanaOthers = "Viewer"
	GrafanaOthersEditor GrafanaOthers = "Editor"
	GrafanaOthersNone   GrafanaOthers = "None"
	// GrafanaOthersDeny lets them not log in.
	GrafanaOthersDeny GrafanaOthers = "Deny"
)
