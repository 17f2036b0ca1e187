package registration

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// SynologySSO are the settings of the legacy protocol of Synology SSO Server, see package synologysso.
type SynologySSO struct {
	// Enabled serves the protocol; without it nothing below /webman exists.
	Enabled bool `json:"enabled,omitempty"`
	// DomainName is the Windows domain, and LDAPBaseDN the base DN of the LDAP directory, that an application may ask to be the
	// provider's. Empty: whoever asks for one is refused.
	DomainName string `json:"domain_name,omitempty"`
	LDAPBaseDN string `json:"ldap_base_dn,omitempty"`
}

// SynologyPath is where the protocol is served, at the root of the issuer's host and below the issuer's path.
const SynologyPath = "/webman/sso"

// Bounds of what names a directory, in bytes.
const (
	MaxSynologyDomain = 255
	MaxSynologyBaseDN = 512
)

func (s *SynologySSO) validate() []error {
	var errs []error
	if len(s.DomainName) > MaxSynologyDomain {
		errs = append(errs, invalid("synology_sso.domain_name", "must not be longer than %d bytes", MaxSynologyDomain))
	}
	if len(s.LDAPBaseDN) > MaxSynologyBaseDN {
		errs = append(errs, invalid("synology_sso.ldap_base_dn", "must not be longer than %d bytes", MaxSynologyBaseDN))
	}
	return errs
}

// SynologySSOClient is what a client needs to speak that protocol.
type SynologySSOClient struct {
	// AppID is 32 hexadecimal digits in lower case. It is no secret. Of two clients with one AppID only one can use it, see
	// registry.Index.ClientByAppID.
	AppID string `json:"app_id"`
	// RedirectURIs are the pages to which a login may return, exact, https or http on loopback. The pages of their origins may
	// frame the provider's answers to the script.
	RedirectURIs []string `json:"redirect_uris"`
}

// MaxSynologyRedirectURI is the longest redirect URI in bytes: it travels in a parameter of a parameter.
const MaxSynologyRedirectURI = 1024

var appIDPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// SynologyAppID returns the AppID of a client that has none of its own. Client IDs are unique at a provider and outlive the move
// to another cluster, and so does what is made of them.
func SynologyAppID(clientID string) string {
	sum := sha256.Sum256([]byte("synology sso application " + clientID))
	return hex.EncodeToString(sum[:16])
}

func (c *SynologySSOClient) validate() []error {
	var errs []error
	if c == nil {
		return nil
	}
	if !appIDPattern.MatchString(c.AppID) {
		errs = append(errs, invalid("synology_sso.app_id", "must be 32 of the characters 0-9 a-f"))
	}
	if len(c.RedirectURIs) == 0 {
		errs = append(errs, invalid("synology_sso.redirect_uris", "must hold at least one URI to which a login can return"))
	}
	for i, uri := range c.RedirectURIs {
		field := index("synology_sso.redirect_uris", i)
		switch err := oidc.ValidateRedirectURI(uri, false); {
		case err != nil:
			errs = append(errs, invalid(field, "%s", err))
		case len(uri) > MaxSynologyRedirectURI:
			errs = append(errs, invalid(field, "must not be longer than %d characters", MaxSynologyRedirectURI))
		case slices.Contains(c.RedirectURIs[:i], uri):
			errs = append(errs, invalid(field, "must not be listed twice"))
		}
	}
	return errs
}
