package oidc

// TokenMetadata is what the discovery document tells of getting, using and giving back tokens (RFC 8414 section 2, RFC 8628
// section 4, RFC 9449 section 5.1).
type TokenMetadata struct {
	GrantTypesSupported                        []string `json:"grant_types_supported"`
	DeviceAuthorizationEndpoint                string   `json:"device_authorization_endpoint"`
	IntrospectionEndpoint                      string   `json:"introspection_endpoint"`
	RevocationEndpoint                         string   `json:"revocation_endpoint"`
	UserinfoSigningAlgValuesSupported          []string `json:"userinfo_signing_alg_values_supported"`
	TokenEndpointAuthMethodsSupported          []string `json:"token_endpoint_auth_methods_supported"`
	TokenEndpointAuthSigningAlgValuesSupported []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpointAuthMethodsSupported  []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionEndpointAuthSigningAlgValues  []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationEndpointAuthMethodsSupported     []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationEndpointAuthSigningAlgValues     []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	DPoPSigningAlgValuesSupported              []string `json:"dpop_signing_alg_values_supported"`
}

// newTokenMetadata takes the algorithms of the provider's keys, and those of signatures that clients make.
func newTokenMetadata(issuer string, algorithms, foreign []string) TokenMetadata {
	everybody := []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
	confidential := everybody[:3]
	return TokenMetadata{
		GrantTypesSupported:                        []string{"authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"},
		DeviceAuthorizationEndpoint:                Endpoint(issuer, PathDeviceAuthorization),
		IntrospectionEndpoint:                      Endpoint(issuer, PathIntrospection),
		RevocationEndpoint:                         Endpoint(issuer, PathRevocation),
		UserinfoSigningAlgValuesSupported:          algorithms,
		TokenEndpointAuthMethodsSupported:          everybody,
		TokenEndpointAuthSigningAlgValuesSupported: foreign,
		IntrospectionEndpointAuthMethodsSupported:  confidential,
		IntrospectionEndpointAuthSigningAlgValues:  foreign,
		RevocationEndpointAuthMethodsSupported:     everybody,
		RevocationEndpointAuthSigningAlgValues:     foreign,
		DPoPSigningAlgValuesSupported:              foreign,
	}
}
