package presets

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The keys of the command that adds the realm, and of its section in /etc/pve/domains.cfg.
const (
	proxmoxScriptFile = "proxmox-realm.sh"
	proxmoxConfigFile = "domains.cfg"
)

// proxmoxMaxLength is how long the issuer, the client ID and the client secret may be.
const proxmoxMaxLength = 256

// proxmoxUsername is what Proxmox VE takes for preferred_username.
const proxmoxUsername = "username"

// proxmox is Proxmox VE. The address in the browser is the redirect URI.
func proxmox(c *v1alpha1.OIDCClient) *Preset {
	p := c.Spec.Preset.Proxmox
	scopes := withScopeOf(p.UsernameClaim, []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail})
	var claims []v1alpha1.ClientClaim
	if p.GroupsClaim != "" {
		scopes = withScopeOf(p.GroupsClaim, scopes)
	}
	if p.GroupsClaim == "groups" {
		// Without the claim Proxmox VE leaves people in the groups that they were in, also with groups-overwrite.
		claims = []v1alpha1.ClientClaim{groupsEvenIfNone()}
	}
	return &Preset{
		Name: "proxmox",
		Defaults: v1alpha1.OIDCClientSpec{
			DisplayName:              "Proxmox VE",
			RedirectURIs:             p.URLs,
			GrantTypes:               []v1alpha1.GrantType{v1alpha1.GrantTypeAuthorizationCode},
			Scopes:                   scopes,
			Claims:                   claims,
			IDTokenSignedResponseAlg: "RS256",
			ClaimsIn:                 v1alpha1.ClaimsInBoth,
		},
		Secret: SecretForm{Alphabet: Alphanumeric, Length: 32, MaxLength: proxmoxMaxLength},
		Files:  proxmoxFiles,
	}
}

// proxmoxOption is an option of a realm.
type proxmoxOption struct{ name, value string }

func proxmoxFiles(issued Issued) (map[string][]byte, error) {
	spec := issued.Client.Spec
	if err := checkLines("proxmox", spec.Preset.Proxmox); err != nil {
		return nil, err
	}
	switch {
	case spec.TokenEndpointAuthMethod == "private_key_jwt":
		return nil, errors.New("spec.tokenEndpointAuthMethod must not be private_key_jwt, because Proxmox VE has no key to sign with; remove it")
	case len(issued.Issuer) > proxmoxMaxLength:
		return nil, fmt.Errorf("spec.providerRef must name an OIDCProvider whose issuer has at most %d characters, because Proxmox VE takes no more", proxmoxMaxLength)
	case spec.UserinfoSignedResponseAlg != "":
		return nil, errors.New("spec.userinfoSignedResponseAlg must be unset, because Proxmox VE reads plain JSON")
	}
	username := spec.Preset.Proxmox.UsernameClaim
	if username == "" || username == proxmoxUsername {
		username = "preferred_username"
	}
	for _, needed := range [][2]string{{username, "usernameClaim"}, {spec.Preset.Proxmox.GroupsClaim, "groupsClaim"}} {
		if err := checkScopeOf(needed[0], "spec.preset.proxmox."+needed[1], issued.Client.Scopes()); err != nil {
			return nil, err
		}
	}
	realm := orElse(spec.Preset.Proxmox.Realm, "sso")
	options := proxmoxOptions(issued)
	var script, config strings.Builder
	script.WriteString("#!/bin/sh\n# Adds the realm; run it as root on one node. To change one that exists: pveum realm modify, and leave --type and --username-claim out.\nset -eu\n")
	fmt.Fprintf(&script, "pveum realm add %s --type openid", realm)
	fmt.Fprintf(&config, "openid: %s\n", realm)
	for _, o := range options {
		fmt.Fprintf(&script, " \\\n  --%s %s", o.name, shellWord(o.value))
		fmt.Fprintf(&config, "\t%s %s\n", o.name, o.value)
	}
	script.WriteString("\n")
	return map[string][]byte{proxmoxScriptFile: []byte(script.String()), proxmoxConfigFile: []byte(config.String())}, nil
}

func proxmoxOptions(issued Issued) []proxmoxOption {
	p := issued.Client.Spec.Preset.Proxmox
	scopes := slices.DeleteFunc(slices.Clone(issued.Client.Scopes()), func(s string) bool { return s == oidc.ScopeOpenID }) // it asks for that by itself
	options := []proxmoxOption{{"issuer-url", issued.Issuer}, {"client-id", issued.Client.ClientID()}}
	if issued.Secret != "" {
		options = append(options, proxmoxOption{"client-key", issued.Secret})
	}
	options = append(options, proxmoxOption{"username-claim", orElse(p.UsernameClaim, proxmoxUsername)})
	if len(scopes) > 0 {
		options = append(options, proxmoxOption{"scopes", strings.Join(scopes, " ")})
	}
	if p.GroupsClaim != "" {
		options = append(options, proxmoxOption{"groups-claim", p.GroupsClaim})
	}
	for _, o := range []struct {
		name string
		on   bool
	}{
		{"autocreate", isTrue(p.Autocreate, true)},
		{"groups-autocreate", isTrue(p.GroupsAutocreate, false)},
		{"groups-overwrite", isTrue(p.GroupsOverwrite, false)},
		{"default", isTrue(p.Default, false)},
	} {
		if o.on {
			options = append(options, proxmoxOption{o.name, "1"})
		}
	}
	if p.QueryUserinfo != nil && !*p.QueryUserinfo {
		options = append(options, proxmoxOption{"query-userinfo", "0"})
	}
	for _, o := range []proxmoxOption{{"prompt", p.Prompt}, {"acr-values", p.ACRValues}} {
		if o.value != "" {
			options = append(options, o)
		}
	}
	if p.Comment != "" {
		options = append(options, proxmoxOption{"comment", p.Comment})
	}
	return options
}
