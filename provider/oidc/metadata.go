package oidc

// Metadata is the discovery document (OpenID Connect Discovery section 3, RFC 8414 section 2, RFC 9101 section 10.5, RFC 9126 section 5,
// RFC 9207 section 3, OpenID Connect RP-Initiated Logout section 2.1, Back-Channel Logout section 2.1, Front-Channel Logout
// section 3). It names only what works.
type Metadata struct {
	Issuer                                     string   `json:"issuer"`
	AuthorizationEndpoint                      string   `json:"authorization_endpoint"`
	PushedAuthorizationRequestEndpoint         string   `json:"pushed_authorization_request_endpoint"`
	RequirePushedAuthorizationRequests         bool     `json:"require_pushed_authorization_requests"`
	TokenEndpoint                              string   `json:"token_endpoint"`
	UserinfoEndpoint                           string   `json:"userinfo_endpoint"`
	JWKSURI                                    string   `json:"jwks_uri"`
	EndSessionEndpoint                         string   `json:"end_session_endpoint"`
	BackchannelLogoutSupported                 bool     `json:"backchannel_logout_supported"`
	BackchannelLogoutSessionSupported          bool     `json:"backchannel_logout_session_supported"`
	FrontchannelLogoutSupported                bool     `json:"frontchannel_logout_supported"`
	FrontchannelLogoutSessionSupported         bool     `json:"frontchannel_logout_session_supported"`
	ScopesSupported                            []string `json:"scopes_supported"`
	ResponseTypesSupported                     []string `json:"response_types_supported"`
	ResponseModesSupported                     []string `json:"response_modes_supported"`
	SubjectTypesSupported                      []string `json:"subject_types_supported"`
	IDTokenSigningAlgValuesSupported           []string `json:"id_token_signing_alg_values_supported"`
	CodeChallengeMethodsSupported              []string `json:"code_challenge_methods_supported"`
	PromptValuesSupported                      []string `json:"prompt_values_supported"`
	ACRValuesSupported                         []string `json:"acr_values_supported"`
	DisplayValuesSupported                     []string `json:"display_values_supported"`
	ClaimTypesSupported                        []string `json:"claim_types_supported"`
	ClaimsSupported                            []string `json:"claims_supported"`
	UILocalesSupported                         []string `json:"ui_locales_supported"`
	ClaimsParameterSupported                   bool     `json:"claims_parameter_supported"`
	RequestParameterSupported                  bool     `json:"request_parameter_supported"`
	RequestURIParameterSupported               bool     `json:"request_uri_parameter_supported"`
	RequireSignedRequestObject                 bool     `json:"require_signed_request_object"`
	RequestObjectSigningAlgValuesSupported     []string `json:"request_object_signing_alg_values_supported"`
	AuthorizationResponseIssParameterSupported bool     `json:"authorization_response_iss_parameter_supported"`
	TokenMetadata
}

// NewMetadata returns the discovery document of an issuer whose keys sign with algorithms and whose pages speak locales.
// foreign are the algorithms of signatures that clients make.
func NewMetadata(issuer string, algorithms, foreign, locales []string) Metadata {
	return Metadata{
		Issuer:                             issuer,
		AuthorizationEndpoint:              Endpoint(issuer, PathAuthorization),
		PushedAuthorizationRequestEndpoint: Endpoint(issuer, PathPushedRequest),
		TokenEndpoint:                      Endpoint(issuer, PathToken),
		UserinfoEndpoint:                   Endpoint(issuer, PathUserinfo),
		JWKSURI:                            Endpoint(issuer, PathJWKS),
		EndSessionEndpoint:                 Endpoint(issuer, PathLogout),
		BackchannelLogoutSupported:         true,
		BackchannelLogoutSessionSupported:  true,
		FrontchannelLogoutSupported:        true,
		FrontchannelLogoutSessionSupported: true,
		ScopesSupported:                    Scopes(),
		ResponseTypesSupported:             []string{"code"},
		ResponseModesSupported:             ResponseModes(),
		SubjectTypesSupported:              []string{"public", "pairwise"},
		IDTokenSigningAlgValuesSupported:   algorithms,
		CodeChallengeMethodsSupported:      []string{"S256"},
		PromptValuesSupported:              Prompts(),
		ACRValuesSupported:                 ACRValues(),
		DisplayValuesSupported:             Displays(),
		ClaimTypesSupported:                []string{"normal"},
		ClaimsSupported: []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "at_hash", "acr", "amr",
			"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "updated_at",
			"email", "email_verified", "phone_number", "phone_number_verified", "address", "groups",
		},
		UILocalesSupported:                         locales,
		ClaimsParameterSupported:                   true,
		RequestParameterSupported:                  true,
		RequestObjectSigningAlgValuesSupported:     RequestObjectAlgorithms(foreign),
		AuthorizationResponseIssParameterSupported: true,
		TokenMetadata:                              newTokenMetadata(issuer, algorithms, foreign),
	}
}
