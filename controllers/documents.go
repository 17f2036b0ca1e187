package controllers

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// invalidSpec names every field at fault, as the registration calls it.
func invalidSpec(err error) verdict {
	var parts []string
	for _, fe := range registration.FieldErrors(err) {
		parts = append(parts, specField(fe.Field)+" "+fe.Message)
	}
	return stall(v1alpha1.ReasonInvalidSpec, strings.Join(parts, "; "))
}

// specField returns where a field of a registration, such as "redirect_uris[1]", comes from: "spec.redirectURIs[1]".
func specField(field string) string {
	name, index, _ := strings.Cut(field, "[")
	if index != "" {
		index = "[" + index
	}
	if spec, ok := specFields()[name]; ok {
		name = spec
	}
	return "spec." + name + index
}

// specFields names, for each field of a registration that is not called the same in a spec, the field that it comes from.
func specFields() map[string]string {
	return map[string]string{
		"client_id": "clientID", "client_name": "displayName", "redirect_uris": "redirectURIs", "post_logout_redirect_uris": "postLogoutRedirectURIs",
		"logo_uri": "logoURI", "client_uri": "clientURI", "policy_uri": "policyURI", "tos_uri": "tosURI",
		"scope": "scopes", "grant_types": "grantTypes",
		"token_endpoint_auth_method": "tokenEndpointAuthMethod", "jwks_uri": "jwksURI",
		"id_token_signed_response_alg": "idTokenSignedResponseAlg", "userinfo_signed_response_alg": "userinfoSignedResponseAlg",
		"request_object_signing_alg": "requestObjectSigningAlg", "client_assertion_audience": "clientAssertionAudience", "access_token_format": "accessTokenFormat", "subject_mode": "subject.mode", "sector_identifier": "subject.sectorIdentifier",
		"subject_expression": "subject.expression", "subject_examples": "subject.examples", "claims_in": "claimsIn",
		"access_rule": "access.rule", "access_examples": "access.examples", "contacts": "access.contact",
		"backchannel_logout_uri": "backchannelLogoutURI", "frontchannel_logout_uri": "frontchannelLogoutURI",

		"lifetimes.authorization_code": "tokens.authorizationCode", "lifetimes.access_token": "tokens.accessToken",
		"lifetimes.id_token": "tokens.idToken", "lifetimes.refresh_token_idle": "tokens.refreshToken.idle",
		"lifetimes.refresh_token_absolute": "tokens.refreshToken.absolute",

		"synology_sso.app_id": "preset.synologySSO.appID", "synology_sso.redirect_uris": "preset.synologySSO.redirectURIs",
		"synology_sso.domain_name": "synologySSO.domainName", "synology_sso.ldap_base_dn": "synologySSO.ldapBaseDN",

		"login.max_attempts": "login.maxAttempts", "branding.accent_color": "branding.accentColor",
		"branding.logo": "branding.logoConfigMapRef", "branding.logo_type": "branding.logoConfigMapRef.key",

		"sub": "subject", "preferred_username": "username", "email_verified": "emailVerified",
	}
}

// clientURIs lists where c wants people, logout tokens and key lookups to go: what the provider's redirectHosts bind.
func clientURIs(c *v1alpha1.OIDCClient) []string {
	uris := slices.Concat(c.Spec.RedirectURIs, c.Spec.PostLogoutRedirectURIs)
	for _, uri := range []string{c.Spec.BackchannelLogoutURI, c.Spec.FrontchannelLogoutURI, c.Spec.JWKSURI} {
		if uri != "" {
			uris = append(uris, uri)
		}
	}
	if sso := presets.SynologySSO(c); sso != nil {
		uris = append(uris, sso.RedirectURIs...)
	}
	return uris
}

// buildClientDocument translates the spec into the registration that the provider reads.
func buildClientDocument(c *v1alpha1.OIDCClient, secrets []registration.ClientSecret) *registration.Client {
	return &registration.Client{
		ClientID:                   c.ClientID(),
		ClientName:                 c.Spec.DisplayName,
		Description:                c.Spec.Description,
		LogoURI:                    c.Spec.LogoURI,
		ClientURI:                  c.Spec.ClientURI,
		PolicyURI:                  c.Spec.PolicyURI,
		TosURI:                     c.Spec.TosURI,
		RedirectURIs:               c.Spec.RedirectURIs,
		PostLogoutRedirectURIs:     c.Spec.PostLogoutRedirectURIs,
		Scope:                      strings.Join(c.Scopes(), " "),
		GrantTypes:                 registeredGrants(c.GrantTypes()),
		TokenEndpointAuthMethod:    c.Spec.TokenEndpointAuthMethod,
		IDTokenSignedResponseAlg:   c.Spec.IDTokenSignedResponseAlg,
		Secrets:                    secrets,
		RequirePKCE:                c.Spec.PKCE == v1alpha1.PKCERequired,
		Consent:                    string(c.Spec.Consent),
		UserinfoSignedResponseAlg:  c.Spec.UserinfoSignedResponseAlg,
		JWKS:                       clientKeys(c.Spec.JWKS),
		JWKSURI:                    c.Spec.JWKSURI,
		ClientAssertionAudience:    assertionAudience(c.Spec.ClientAssertionAudience),
		AccessTokenFormat:          string(c.Spec.AccessTokenFormat),
		DPoPBoundAccessTokens:      isTrue(c.Spec.DPoPBoundAccessTokens),
		RequirePushedRequests:      isTrue(c.Spec.RequirePushedAuthorizationRequests),
		RequestObjectSigningAlg:    c.Spec.RequestObjectSigningAlg,
		RequireSignedRequestObject: isTrue(c.Spec.RequireSignedRequestObject),
		Resources:                  c.Spec.Resources,
		SubjectMode:                string(c.Spec.Subject.Mode),
		SectorIdentifier:           c.Spec.Subject.SectorIdentifier,
		SubjectExpression:          c.Spec.Subject.Expression,
		SubjectExamples:            registeredExamples(c.Spec.Subject.Examples),
		Claims:                     registeredClaims(c.Spec.Claims),
		ClaimsIn:                   string(c.Spec.ClaimsIn),
		AllowedGroups:              c.Spec.Access.AllowedGroups,
		AccessRule:                 c.Spec.Access.Rule,
		AccessExamples:             registeredExamples(c.Spec.Access.Examples),
		Contacts:                   registeredContacts(c.Spec.Access.Contact),

		BackchannelLogoutURI:              c.Spec.BackchannelLogoutURI,
		BackchannelLogoutSessionRequired:  isTrue(c.Spec.BackchannelLogoutSessionRequired),
		BackchannelLogoutIdentifies:       string(c.Spec.BackchannelLogoutIdentifies),
		BackchannelLogoutOnExpiry:         isTrue(c.Spec.BackchannelLogoutOnExpiry),
		FrontchannelLogoutURI:             c.Spec.FrontchannelLogoutURI,
		FrontchannelLogoutSessionRequired: isTrue(c.Spec.FrontchannelLogoutSessionRequired),

		RefreshTokenRotation: string(c.Spec.RefreshTokenRotation),

		Disabled:  isTrue(c.Spec.Disabled),
		Lifetimes: lifetimes(c.Spec.Tokens),

		SynologySSO: presets.SynologySSO(c),
	}
}

// registeredGrants returns grant types as the protocol calls them.
func registeredGrants(grants []v1alpha1.GrantType) []string {
	names := make([]string, len(grants))
	for i, g := range grants {
		names[i] = string(g)
		if g == v1alpha1.GrantTypeDeviceCode {
			names[i] = registration.GrantDeviceCode
		}
	}
	return names
}

// assertionAudience returns what the registration says of the audience of assertions: nothing where every kind is accepted.
func assertionAudience(audience string) string {
	if audience == registration.AudienceIssuer {
		return audience
	}
	return ""
}

// clientKeys returns the JSON of a client's keys as the API server has it, or nil.
func clientKeys(jwks *runtime.RawExtension) json.RawMessage {
	if jwks == nil {
		return nil
	}
	return jwks.Raw
}

func lifetimes(t v1alpha1.TokenLifetimes) registration.Lifetimes {
	return registration.Lifetimes{
		AuthorizationCode: duration(t.AuthorizationCode),
		AccessToken:       duration(t.AccessToken),
		IDToken:           duration(t.IDToken),
		RefreshIdle:       duration(t.RefreshToken.Idle),
		RefreshAbsolute:   duration(t.RefreshToken.Absolute),
	}
}

func duration(d *metav1.Duration) registration.Duration {
	if d == nil {
		return 0
	}
	return registration.Duration(d.Duration)
}
