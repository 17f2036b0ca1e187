package presets

import (
	"errors"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The keys of what is written into Vault, and of the commands that do so.
const (
	vaultConfigFile = "vault-auth-config.json"
	vaultRoleFile   = "vault-auth-role.json"
	vaultScriptFile = "vault.sh"
)

// vaultCommandLine is where `vault login` waits for the answer.
const vaultCommandLine = "http://localhost:8250/oidc/callback"

// vault is HashiCorp Vault or OpenBao. It reads the ID token and userinfo once, at a login.
func vault(c *v1alpha1.OIDCClient) *Preset {
	v := c.Spec.Preset.Vault
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeGroups}
	for _, needed := range vaultClaims(v) {
		scopes = withScopeOf(needed.claim, scopes)
	}
	var claims []v1alpha1.ClientClaim
	if orElse(v.GroupsClaim, vaultGroups) == vaultGroups {
		// Vault lets nobody in who lacks the claim that it was told to take groups from.
		claims = []v1alpha1.ClientClaim{groupsEvenIfNone()}
	}
	return &Preset{
		Name: "vault",
		Defaults: v1alpha1.OIDCClientSpec{
			DisplayName:              "Vault",
			RedirectURIs:             []string{withoutSlash(v.Address) + "/ui/vault/auth/" + vaultMount(v) + "/oidc/callback", vaultCommandLine},
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
			Scopes:                   scopes,
			Claims:                   claims,
			IDTokenSignedResponseAlg: "RS256",
			ClaimsIn:                 v1alpha1.ClaimsInBoth,
		},
		Secret: anySecret(),
		Files:  vaultFiles,
	}
}

// vaultGroups is the claim that groups are taken from unless the spec says otherwise.
const vaultGroups = "groups"

// vaultClaim is a claim without which Vault lets nobody in, and the field that asks for it.
type vaultClaim struct{ claim, field string }

func vaultClaims(v *v1alpha1.VaultPreset) []vaultClaim {
	needed := []vaultClaim{{v.UserClaim, "spec.preset.vault.userClaim"}, {v.GroupsClaim, "spec.preset.vault.groupsClaim"}}
	if len(v.BoundGroups) > 0 {
		needed = append(needed, vaultClaim{vaultGroups, "spec.preset.vault.boundGroups"})
	}
	for _, bound := range v.BoundClaims {
		needed = append(needed, vaultClaim{bound.Name, "spec.preset.vault.boundClaims"})
	}
	return needed
}

func vaultMount(v *v1alpha1.VaultPreset) string { return orElse(v.MountPath, "oidc") }

func vaultRoleName(v *v1alpha1.VaultPreset) string { return orElse(v.Role, "default") }

// vaultConfig is what auth/<mount>/config takes.
type vaultConfig struct {
	DiscoveryURL         string   `json:"oidc_discovery_url"`
	CertificateAuthority string   `json:"oidc_discovery_ca_pem,omitempty"`
	ClientID             string   `json:"oidc_client_id"`
	ClientSecret         string   `json:"oidc_client_secret"`
	BoundIssuer          string   `json:"bound_issuer"`
	SupportedAlgs        []string `json:"jwt_supported_algs,omitempty"`
	DefaultRole          string   `json:"default_role"`
}

// vaultRole is what auth/<mount>/role/<name> takes.
type vaultRole struct {
	RoleType            string                                `json:"role_type"`
	UserClaim           string                                `json:"user_claim"`
	GroupsClaim         string                                `json:"groups_claim,omitempty"`
	ClaimMappings       map[string]v1alpha1.VaultMetadataName `json:"claim_mappings"`
	BoundClaims         map[string][]string                   `json:"bound_claims,omitempty"`
	Scopes              []string                              `json:"oidc_scopes,omitempty"`
	AllowedRedirectURIs []string                              `json:"allowed_redirect_uris"`
	TokenPolicies       []string                              `json:"token_policies,omitempty"`
	TokenTTL            string                                `json:"token_ttl,omitempty"`
	TokenMaxTTL         string                                `json:"token_max_ttl,omitempty"`
}

func vaultFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	if !issued.Client.HasSecret() {
		return nil, errors.New("spec.tokenEndpointAuthMethod must be unset, client_secret_basic or client_secret_post, because Vault has nothing but a secret to prove who it is")
	}
	v := spec.Preset.Vault
	if err := checkLines("vault", v); err != nil {
		return nil, err
	}
	if err := checkCertificates("spec.preset.vault.certificateAuthority", v.CertificateAuthority); err != nil {
		return nil, err
	}
	for _, needed := range vaultClaims(v) {
		if err := checkScopeOf(needed.claim, needed.field, issued.Client.Scopes()); err != nil {
			return nil, err
		}
	}
	config, err := marshalJSON(vaultConfigOf(issued))
	if err != nil {
		return nil, err
	}
	role, err := marshalJSON(vaultRoleOf(issued))
	if err != nil {
		return nil, err
	}
	return map[string][]byte{vaultConfigFile: config, vaultRoleFile: role, vaultScriptFile: []byte(vaultScript(v))}, nil
}

func vaultConfigOf(issued Issued) vaultConfig {
	v := issued.Client.Spec.Preset.Vault
	config := vaultConfig{
		DiscoveryURL: issued.Issuer, BoundIssuer: issued.Issuer, CertificateAuthority: v.CertificateAuthority,
		ClientID: issued.Client.ClientID(), ClientSecret: issued.Secret, DefaultRole: vaultRoleName(v),
	}
	if alg := issued.Client.Spec.IDTokenSignedResponseAlg; alg != "" {
		config.SupportedAlgs = []string{alg}
	}
	return config
}

func vaultRoleOf(issued Issued) vaultRole {
	spec := issued.Client.Spec
	v := spec.Preset.Vault
	role := vaultRole{
		RoleType:            "oidc",
		UserClaim:           orElse(v.UserClaim, "sub"),
		ClaimMappings:       v.ClaimMappings,
		BoundClaims:         map[string][]string{},
		AllowedRedirectURIs: spec.RedirectURIs,
		TokenPolicies:       v.Policies,
		TokenTTL:            v.TokenTTL,
		TokenMaxTTL:         v.TokenMaxTTL,
	}
	if v.GroupsClaim != "" || slices.Contains(spec.Scopes, oidc.ScopeGroups) {
		role.GroupsClaim = orElse(v.GroupsClaim, vaultGroups)
	}
	if len(role.ClaimMappings) == 0 {
		role.ClaimMappings = map[string]v1alpha1.VaultMetadataName{"preferred_username": "username", "name": "name", "email": "email"}
	}
	for _, claim := range v.BoundClaims {
		role.BoundClaims[claim.Name] = claim.Values
	}
	if len(v.BoundGroups) > 0 {
		role.BoundClaims[vaultGroups] = v.BoundGroups
	}
	for _, scope := range spec.Scopes {
		if scope != oidc.ScopeOpenID { // it asks for that by itself
			role.Scopes = append(role.Scopes, scope)
		}
	}
	return role
}

// vaultScript writes both with Vault's own command. It may be run any number of times.
func vaultScript(v *v1alpha1.VaultPreset) string {
	return strings.NewReplacer("MOUNT", vaultMount(v), "ROLE", vaultRoleName(v), "CONFIG", vaultConfigFile, "DOCUMENT", vaultRoleFile).Replace(`#!/bin/sh
# Lets people log in to Vault. Needs the command vault, VAULT_ADDR and a token that may do this.
set -eu
cd "$(dirname "$0")"
vault auth list -format=json | grep -q '"MOUNT/"' || vault auth enable -path=MOUNT oidc
vault auth tune -listing-visibility=unauth MOUNT/
vault write auth/MOUNT/config @CONFIG
vault write auth/MOUNT/role/ROLE @DOCUMENT
`)
}
