package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// OIDCClient registers an application with an OIDCProvider and keeps its credentials in a Secret beside it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=oidcclients,scope=Namespaced,shortName=oidcc,categories=oidc
// +kubebuilder:printcolumn:name="Client ID",type=string,JSONPath=`.status.clientID`
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.status.credentials.secretName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Issuer",type=string,JSONPath=`.status.issuer`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 248 || (has(self.spec.credentials) && has(self.spec.credentials.secretName))",message="metadata.name must be at most 248 characters, because the Secret is called <name>-oidc; shorten it, or set spec.credentials.secretName"
type OIDCClient struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says how the application logs people in.
	// +required
	Spec OIDCClientSpec `json:"spec,omitzero"`

	// status says whether it can.
	// +optional
	// +default={"observedGeneration":-1}
	Status OIDCClientStatus `json:"status,omitempty,omitzero"`
}

// OIDCClientList is a list of OIDCClients.
//
// +kubebuilder:object:root=true
type OIDCClientList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []OIDCClient `json:"items"`
}

// OIDCClientSpec says how an application logs people in.
//
// +kubebuilder:validation:XValidation:rule="has(self.clientID) == has(oldSelf.clientID)",message="clientID cannot be changed, because the application and its users' consents belong to it; create a new OIDCClient"
// +kubebuilder:validation:XValidation:rule="has(self.redirectURIs) || has(self.preset) || (has(self.grantTypes) && !('authorization_code' in self.grantTypes))",message="redirectURIs must hold at least one URI, unless a preset knows them or grantTypes is set and leaves authorization_code out"
// +kubebuilder:validation:XValidation:rule="!has(self.redirectURIs) || self.redirectURIs.all(u, u.matches('^[hH][tT][tT][pP][sS]?://') || (has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'none'))",message="redirectURIs must use https. A private-use scheme, such as com.example.app:/callback, is for a public client (tokenEndpointAuthMethod none); an application that keeps a client secret on a server registers an https address of that server, which leads on to its app"
// +kubebuilder:validation:XValidation:rule="!has(self.postLogoutRedirectURIs) || self.postLogoutRedirectURIs.all(u, u.matches('^[hH][tT][tT][pP][sS]?://') || (has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'none'))",message="postLogoutRedirectURIs must use https. A private-use scheme, such as com.example.app:/callback, is for a public client (tokenEndpointAuthMethod none); an application that keeps a client secret on a server registers an https address of that server, which leads on to its app"
// +kubebuilder:validation:XValidation:rule="!(has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'none' && has(self.pkce) && self.pkce == 'Optional')",message="pkce must be Required or unset for a public client (tokenEndpointAuthMethod none)"
// +kubebuilder:validation:XValidation:rule="!(has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'none' && has(self.grantTypes) && 'client_credentials' in self.grantTypes)",message="grantTypes must not hold client_credentials for a public client (tokenEndpointAuthMethod none), which cannot prove who it is"
// +kubebuilder:validation:XValidation:rule="!has(self.scopes) || 'openid' in self.scopes || (has(self.grantTypes) && self.grantTypes.all(g, g == 'client_credentials'))",message="scopes must hold openid, unless client_credentials is the only one of grantTypes"
// +kubebuilder:validation:XValidation:rule="!has(self.scopes) || !('offline_access' in self.scopes) || !has(self.grantTypes) || 'refresh_token' in self.grantTypes",message="scopes must not hold offline_access without refresh_token in grantTypes; add the one or remove the other"
// +kubebuilder:validation:XValidation:rule="!(has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'private_key_jwt') || has(self.jwks) != has(self.jwksURI)",message="tokenEndpointAuthMethod private_key_jwt needs either jwks or jwksURI, and not both"
// +kubebuilder:validation:XValidation:rule="!has(self.clientAssertionAudience) || (has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'private_key_jwt')",message="clientAssertionAudience is only for tokenEndpointAuthMethod private_key_jwt; set that or remove it"
// +kubebuilder:validation:XValidation:rule="!(has(self.jwks) && has(self.jwksURI))",message="jwks and jwksURI must not both be set; remove one"
// +kubebuilder:validation:XValidation:rule="!(has(self.requireSignedRequestObject) && self.requireSignedRequestObject || has(self.requestObjectSigningAlg) && self.requestObjectSigningAlg != 'none') || has(self.jwks) || has(self.jwksURI)",message="signed request objects need the application's public keys; set jwks or jwksURI, or remove requireSignedRequestObject and requestObjectSigningAlg"
// +kubebuilder:validation:XValidation:rule="!(has(self.requireSignedRequestObject) && self.requireSignedRequestObject && has(self.requestObjectSigningAlg) && self.requestObjectSigningAlg == 'none')",message="requestObjectSigningAlg must not be none where requireSignedRequestObject is true; remove one of the two"
// +kubebuilder:validation:XValidation:rule="!has(self.backchannelLogoutSessionRequired) || has(self.backchannelLogoutURI)",message="backchannelLogoutSessionRequired needs backchannelLogoutURI"
// +kubebuilder:validation:XValidation:rule="!has(self.backchannelLogoutIdentifies) || has(self.backchannelLogoutURI)",message="backchannelLogoutIdentifies needs backchannelLogoutURI"
// +kubebuilder:validation:XValidation:rule="!(has(self.backchannelLogoutIdentifies) && self.backchannelLogoutIdentifies == 'User' && has(self.backchannelLogoutSessionRequired) && self.backchannelLogoutSessionRequired)",message="backchannelLogoutIdentifies must be Session or unset while backchannelLogoutSessionRequired is true; change one of the two"
// +kubebuilder:validation:XValidation:rule="!(has(self.refreshTokenRotation) && self.refreshTokenRotation == 'Never') || (has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'private_key_jwt') || (has(self.dpopBoundAccessTokens) && self.dpopBoundAccessTokens && !(has(self.tokenEndpointAuthMethod) && self.tokenEndpointAuthMethod == 'none'))",message="refreshTokenRotation Never is for a confidential client that proves possession of a key; set tokenEndpointAuthMethod private_key_jwt, or dpopBoundAccessTokens true with another method than none, or remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.backchannelLogoutOnExpiry) || has(self.backchannelLogoutURI)",message="backchannelLogoutOnExpiry needs backchannelLogoutURI"
// +kubebuilder:validation:XValidation:rule="!has(self.frontchannelLogoutSessionRequired) || has(self.frontchannelLogoutURI)",message="frontchannelLogoutSessionRequired needs frontchannelLogoutURI"
type OIDCClientSpec struct {
	// providerRef names the OIDCProvider that serves the application. Its allowedClients must admit this namespace.
	// +required
	ProviderRef ProviderReference `json:"providerRef,omitzero"`

	// displayName is what people see on the login and consent pages. Unset: the client ID.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x{0}-\\\\x{1F}\\\\x{7F}-\\\\x{9F}\\\\x{AD}\\\\x{61C}\\\\x{200B}\\\\x{200E}\\\\x{200F}\\\\x{2028}-\\\\x{202E}\\\\x{2060}-\\\\x{206F}\\\\x{FEFF}]')",message="displayName must be one line without characters that cannot be seen or that change the direction of the text; remove them"
	DisplayName string `json:"displayName,omitempty"`

	// description says on the consent page, in a sentence, what the application is.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x{0}-\\\\x{1F}\\\\x{7F}-\\\\x{9F}\\\\x{AD}\\\\x{61C}\\\\x{200B}\\\\x{200E}\\\\x{200F}\\\\x{2028}-\\\\x{202E}\\\\x{2060}-\\\\x{206F}\\\\x{FEFF}]')",message="description must be one line without characters that cannot be seen or that change the direction of the text; remove them"
	Description string `json:"description,omitempty"`

	// logoURI is the URL of the application's logo, shown on the consent page.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() == 'https'",message="logoURI must be an https URL"
	LogoURI string `json:"logoURI,omitempty"`

	// clientURI is the URL of the application's home page.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http']",message="clientURI must be an absolute https or http URL"
	ClientURI string `json:"clientURI,omitempty"`

	// policyURI is the URL of the application's privacy policy.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http']",message="policyURI must be an absolute https or http URL"
	PolicyURI string `json:"policyURI,omitempty"`

	// tosURI is the URL of the application's terms of service.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http']",message="tosURI must be an absolute https or http URL"
	TosURI string `json:"tosURI,omitempty"`

	// clientID is the application's client ID, unique for the provider: of two OIDCClients that want the same one, the older
	// has it. Once registered it belongs to this namespace, even if the OIDCClient is deleted, until it is given up (annotation
	// oidc-operator.dev/release-client-id). One that begins with the name of another namespace and a dot is reserved for that namespace.
	// It cannot be changed.
	// Unset: "<namespace>.<name>".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._-]+$')",message="clientID must consist of the characters A-Z a-z 0-9 . _ -"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clientID cannot be changed, because the application and its users' consents belong to it; create a new OIDCClient"
	ClientID string `json:"clientID,omitempty"`

	// redirectURIs are where a login may return to, compared character for character: https, or http on a loopback host, or
	// for a public client a private-use scheme such as com.example.app:/callback. Unset: those of the preset. Only an application
	// without the grant type authorization_code can do without.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.contains('#'))",message="redirectURIs must not have a fragment; remove everything from the # on"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.contains('*'))",message="redirectURIs must not contain a wildcard; list each redirect URI in full"
	// +kubebuilder:validation:XValidation:rule="self.all(u, u.matches('^[!-~]*$'))",message="redirectURIs must be written in ASCII: a host in punycode, such as xn--bcher-kva.example for bücher.example, and the rest percent-encoded, such as %C3%BC for ü"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.matches('[\"<>\\\\\\\\^`{|}]'))",message="redirectURIs must not contain quotation marks, < > \\ ^ ` { | }; percent-encode them, such as %22 for a quotation mark"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.matches('^[A-Za-z0-9+.-]*[A-Z][A-Za-z0-9+.-]*:'))",message="redirectURIs must have their scheme in lower case, such as https:, because they are compared character for character"
	// +kubebuilder:validation:XValidation:rule="self.all(u, u.matches('^[A-Za-z][A-Za-z0-9+.-]*:'))",message="redirectURIs must be absolute, such as https://app.example.com/callback"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.startsWith('http:') || u.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?([/?].*)?$'))",message="redirectURIs must use https; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	RedirectURIs []string `json:"redirectURIs,omitempty"`

	// postLogoutRedirectURIs are where a logout that the application starts may return to, by the rules of redirectURIs.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.contains('#'))",message="postLogoutRedirectURIs must not have a fragment; remove everything from the # on"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.contains('*'))",message="postLogoutRedirectURIs must not contain a wildcard; list each redirect URI in full"
	// +kubebuilder:validation:XValidation:rule="self.all(u, u.matches('^[!-~]*$'))",message="postLogoutRedirectURIs must be written in ASCII: a host in punycode, such as xn--bcher-kva.example for bücher.example, and the rest percent-encoded, such as %C3%BC for ü"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.matches('[\"<>\\\\\\\\^`{|}]'))",message="postLogoutRedirectURIs must not contain quotation marks, < > \\ ^ ` { | }; percent-encode them, such as %22 for a quotation mark"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.matches('^[A-Za-z0-9+.-]*[A-Z][A-Za-z0-9+.-]*:'))",message="postLogoutRedirectURIs must have their scheme in lower case, such as https:, because they are compared character for character"
	// +kubebuilder:validation:XValidation:rule="self.all(u, u.matches('^[A-Za-z][A-Za-z0-9+.-]*:'))",message="postLogoutRedirectURIs must be absolute, such as https://app.example.com/"
	// +kubebuilder:validation:XValidation:rule="self.all(u, !u.startsWith('http:') || u.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?([/?].*)?$'))",message="postLogoutRedirectURIs must use https; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	PostLogoutRedirectURIs []string `json:"postLogoutRedirectURIs,omitempty"`

	// grantTypes are the ways in which the application may get tokens: authorization_code (a person logs in), refresh_token,
	// client_credentials (the application for itself) and device_code (RFC 8628). Unset: authorization_code, refresh_token.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:XValidation:rule="!('refresh_token' in self) || 'authorization_code' in self || 'device_code' in self",message="grantTypes must hold authorization_code or device_code beside refresh_token"
	GrantTypes []GrantType `json:"grantTypes,omitempty"`

	// scopes are what the application may ask for: openid, profile, email, phone, address, groups, offline_access
	// (refresh tokens that outlive the login session), and any others that mean something to the APIs it calls. Unset: openid,
	// profile, email; none where client_credentials is the only grant type.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.all(s, s.matches('^[]!#-[^-~]+$'))",message="scopes must consist of printable ASCII characters without spaces, quotes and backslashes"
	Scopes []string `json:"scopes,omitempty"`

	// resources are the APIs that the application may ask access tokens for, as resource indicators (RFC 8707): absolute URIs
	// without fragment, such as https://api.example.com. They become the audience of the token. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.all(r, !r.contains('#'))",message="resources must not have a fragment; remove everything from the # on"
	// +kubebuilder:validation:XValidation:rule="self.all(r, r.matches('^[A-Za-z][A-Za-z0-9+.-]*:[^ ]+$'))",message="resources must be absolute URIs, such as https://api.example.com"
	Resources []string `json:"resources,omitempty"`

	// tokenEndpointAuthMethod is how the application proves who it is: client_secret_basic, client_secret_post,
	// private_key_jwt (it signs with a key of its own; see jwks and jwksURI), or none for a public client without a secret.
	// Unset: basic or post, whichever it sends.
	// +optional
	// +kubebuilder:validation:Enum=client_secret_basic;client_secret_post;private_key_jwt;none
	TokenEndpointAuthMethod string `json:"tokenEndpointAuthMethod,omitempty"`

	// jwks are the public keys with which the application signs, as a JSON Web Key Set (RFC 7517): keys is a list of at most 16
	// keys, written in YAML or JSON. A private key among them is refused. They verify client assertions
	// (private_key_jwt) and signed request objects.
	// Unset: the application signs nothing, or publishes its keys at jwksURI.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	JWKS *runtime.RawExtension `json:"jwks,omitempty"`

	// jwksURI is where the application publishes the public keys that it signs with: https, or http on a loopback host. The
	// provider fetches them, and again when it meets a key that it does not know. Unset: see jwks.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[^/?#]') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?([/?].*)?$')",message="jwksURI must be an https URL; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="jwksURI must not have a fragment; remove everything from the # on"
	JWKSURI string `json:"jwksURI,omitempty"`

	// clientAssertionAudience says which aud is valid in this application's client assertions (private_key_jwt). Issuer: the issuer as a
	// single string and nothing else, as FAPI 2.0 requires. Any: also the URL of the token endpoint or of the endpoint that is called,
	// and lists of these. Unset: Any.
	// +optional
	// +kubebuilder:validation:Enum=Issuer;Any
	ClientAssertionAudience string `json:"clientAssertionAudience,omitempty"`

	// pkce says whether an authorization request must carry a code challenge (RFC 7636): Optional or Required. A public
	// client always needs one. Unset: Optional.
	// +optional
	PKCE PKCEPolicy `json:"pkce,omitempty"`

	// idTokenSignedResponseAlg is the algorithm that signs this application's ID tokens; the provider needs a SigningKey of
	// it. Unset: that of the provider's default key.
	// +optional
	// +kubebuilder:validation:Enum=RS256;RS384;RS512;PS256;PS384;PS512;ES256;ES384;ES512;EdDSA
	IDTokenSignedResponseAlg string `json:"idTokenSignedResponseAlg,omitempty"`

	// userinfoSignedResponseAlg makes the answer of the userinfo endpoint a JWT that is signed with this algorithm; the
	// provider needs a SigningKey of it. Unset: plain JSON, which most applications expect.
	// +optional
	// +kubebuilder:validation:Enum=RS256;RS384;RS512;PS256;PS384;PS512;ES256;ES384;ES512;EdDSA
	UserinfoSignedResponseAlg string `json:"userinfoSignedResponseAlg,omitempty"`

	// accessTokenFormat says what access tokens are: Opaque (a handle that only the provider can look up, and that ends with
	// its revocation) or JWT (RFC 9068, which APIs can check themselves). Unset: Opaque.
	// +optional
	AccessTokenFormat AccessTokenFormat `json:"accessTokenFormat,omitempty"`

	// dpopBoundAccessTokens refuses token requests without a DPoP proof (RFC 9449), so that a stolen access token is of no use.
	// Unset: false; tokens are bound where a proof is sent.
	// +optional
	DPoPBoundAccessTokens *bool `json:"dpopBoundAccessTokens,omitempty"`

	// requirePushedAuthorizationRequests refuses authorization requests that the application has not sent to the provider
	// itself beforehand (RFC 9126). Unset: false; both ways are open.
	// +optional
	RequirePushedAuthorizationRequests *bool `json:"requirePushedAuthorizationRequests,omitempty"`

	// requestObjectSigningAlg is the only algorithm that is accepted for this application's request objects (authorization requests as
	// a JWT, RFC 9101). none: only unsigned request objects are accepted. Unset: any algorithm, and unsigned request objects unless
	// requireSignedRequestObject is true.
	// +optional
	// +kubebuilder:validation:Enum=none;RS256;RS384;RS512;PS256;PS384;PS512;ES256;ES384;ES512;EdDSA
	RequestObjectSigningAlg string `json:"requestObjectSigningAlg,omitempty"`

	// requireSignedRequestObject says that every authorization request must be a signed request object (RFC 9101). The provider then
	// ignores parameters outside the object. Unset: false; signed and unsigned request objects and plain parameters are accepted.
	// +optional
	RequireSignedRequestObject *bool `json:"requireSignedRequestObject,omitempty"`

	// subject says as whom the application knows a person.
	// +optional
	Subject ClientSubject `json:"subject,omitzero"`

	// claims are told beside those of the directory, or in place of them. Unset: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Claims []ClientClaim `json:"claims,omitempty"`

	// claimsIn says where claims about a person stand, those of scopes and those of claims: in the ID token, in the answer of
	// userinfo, or in Both. An application gets them elsewhere when it asks for them there one by one. Unset: Both.
	// +optional
	ClaimsIn ClaimsPlacement `json:"claimsIn,omitempty"`

	// access says who may log in to the application. Unset: everybody.
	// +optional
	Access ClientAccess `json:"access,omitzero"`

	// backchannelLogoutURI is where the provider sends a signed logout token when a person's session ends (OpenID Connect
	// Back-Channel Logout). The provider's pods must be able to reach it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[^/?#]') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?([/?].*)?$')",message="backchannelLogoutURI must be an https URL; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="backchannelLogoutURI must not have a fragment; remove everything from the # on"
	BackchannelLogoutURI string `json:"backchannelLogoutURI,omitempty"`

	// backchannelLogoutSessionRequired says that the application can tell sessions apart only by their ID: logout tokens then
	// always hold sid. Unset: false.
	// +optional
	BackchannelLogoutSessionRequired *bool `json:"backchannelLogoutSessionRequired,omitempty"`

	// backchannelLogoutIdentifies says what a logout token identifies. Session: the session that has ended and its user (sid and sub); the
	// application ends that session. User: the user alone (sub); the application ends every session of that user. Choose User for an
	// application that ends nothing when a logout token has a sid. If the user no longer exists, the token has a sid in either case,
	// because a logout token needs a sub or a sid. Unset: Session.
	// +optional
	BackchannelLogoutIdentifies LogoutTokenSubject `json:"backchannelLogoutIdentifies,omitempty"`

	// backchannelLogoutOnExpiry says that the application is told also of sessions that nobody has logged out of, but that were idle
	// for too long or have become too old (spec.sessions of the OIDCProvider). An application with long sessions of its own would log its
	// people out that often. Unset: false.
	// +optional
	BackchannelLogoutOnExpiry *bool `json:"backchannelLogoutOnExpiry,omitempty"`

	// frontchannelLogoutURI is a page of the application that the logout page loads in a hidden frame when a person logs out
	// (OpenID Connect Front-Channel Logout). Its scheme, host and port are those of one of redirectURIs.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[^/?#]') || self.matches('^http://(([A-Za-z0-9-]+[.])*localhost|127[.][0-9]+[.][0-9]+[.][0-9]+|\\\\[::1\\\\])(:[0-9]+)?([/?].*)?$')",message="frontchannelLogoutURI must be an https URL; http is only for a loopback host (localhost, 127.0.0.1, [::1])"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="frontchannelLogoutURI must not have a fragment; remove everything from the # on"
	FrontchannelLogoutURI string `json:"frontchannelLogoutURI,omitempty"`

	// frontchannelLogoutSessionRequired says that the application needs the parameters iss and sid to know which session has
	// ended. Unset: false.
	// +optional
	FrontchannelLogoutSessionRequired *bool `json:"frontchannelLogoutSessionRequired,omitempty"`

	// consent says when people are asked whether the application may know what it asks for: Always, Remember (once for each
	// set of scopes) or Never. Unset: Remember.
	// +optional
	Consent ConsentPolicy `json:"consent,omitempty"`

	// disabled refuses every login and token of the application while everything else stays. Unset: false.
	// +optional
	Disabled *bool `json:"disabled,omitempty"`

	// refreshTokenRotation says whether each use of a refresh token returns a new one. Always: yes, and reuse of the old one revokes the
	// grant. Never: the refresh token stays the same until it expires, as FAPI 2.0 requires; only for a confidential client that signs
	// with its own key (tokenEndpointAuthMethod private_key_jwt, or dpopBoundAccessTokens). Unset: Always.
	// +optional
	RefreshTokenRotation RefreshTokenRotation `json:"refreshTokenRotation,omitempty"`

	// tokens overrides the provider's lifetimes.
	// +optional
	Tokens TokenLifetimes `json:"tokens,omitzero"`

	// credentials says how the application gets its credentials.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`

	// preset names the application, where it is one that the operator knows: what it needs and this spec leaves unset is filled
	// in (status.effective shows the result), and its Secret gets the configuration that it reads. Unset: nothing is filled in.
	// +optional
	Preset *ClientPreset `json:"preset,omitempty"`
}

// OIDCClientStatus says whether an application can log people in.
type OIDCClientStatus struct {
	// conditions are Ready, Accepted, CredentialsReady and Served, and Reconciling or Stalled only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1 until the operator has looked at it,
	// so that nothing takes a resource that is new for one that is ready.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// clientID is the application's client ID.
	// +optional
	// +kubebuilder:validation:MaxLength=317
	ClientID string `json:"clientID,omitempty"`

	// issuer is the provider's exact issuer string.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Issuer string `json:"issuer,omitempty"`

	// credentials describes the Secret that holds the credentials.
	// +optional
	Credentials *CredentialsStatus `json:"credentials,omitempty"`

	// effective is how the application is registered after spec.preset has filled in what the spec leaves unset. Unset without
	// a preset: it is then what the spec says.
	// +optional
	Effective *EffectiveClientStatus `json:"effective,omitempty"`
}
