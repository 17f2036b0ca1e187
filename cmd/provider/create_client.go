package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// clientOptions are the flags of client create.
type clientOptions struct {
	registration.Client
	dir      string
	public   bool
	jwksFile string
	// claims are NAME=EXPRESSION.
	claims []string
}

func clientCommand() *cobra.Command {
	o := &clientOptions{}
	cmd := &cobra.Command{
		Use:   "create CLIENT_ID",
		Short: "Register a client and print its ID and, if it has one, its secret, which is not kept anywhere else",
		Example: "  provider client create app --redirect-uri https://app.example.com/callback\n" +
			"  provider client create cli --public --redirect-uri http://127.0.0.1/callback\n" +
			"  provider client create tv --public --grant-type device_code\n" +
			"  provider client create job --grant-type client_credentials --scope reports:read --access-token-format JWT --resource https://api.example.com\n" +
			"  provider client create bank --auth-method private_key_jwt --jwks-file bank.jwks.json --redirect-uri https://bank.example.com/callback",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ClientID = args[0]
			secret, err := o.complete(cmd.Flags())
			if err != nil {
				return err
			}
			answer := map[string]string{"client_id": o.ClientID}
			if secret != "" {
				answer["client_secret"] = secret
			}
			return create(cmd.OutOrStdout(), o.dir, o.ClientID, registration.KindClient, &o.Client, answer)
		},
	}
	registrationsFlag(cmd, &o.dir)
	o.addFlags(cmd.Flags())
	return group("client", "Registrations of clients", cmd, checkClientCommand())
}

func (o *clientOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.ClientName, "name", "", "what people call the application")
	f.StringArrayVar(&o.RedirectURIs, "redirect-uri", nil, "where a login may return to, to the letter (may be repeated; required for authorization_code)")
	f.StringArrayVar(&o.PostLogoutRedirectURIs, "post-logout-redirect-uri", nil, "where a logout may return to, to the letter (may be repeated)")
	f.StringVar(&o.Scope, "scope", "openid profile email groups", "scopes that the client may ask for, also such as only its resource servers know")
	f.StringArrayVar(&o.GrantTypes, "grant-type", []string{registration.GrantCode},
		"authorization_code, refresh_token, client_credentials or device_code (may be repeated)")
	f.StringVar(&o.TokenEndpointAuthMethod, "auth-method", registration.AuthMethodAny,
		"client_secret_basic, client_secret_post, private_key_jwt or none (default: either of the first two)")
	f.BoolVar(&o.public, "public", false, "a client without a secret, such as a native application: --auth-method none")
	f.StringVar(&o.jwksFile, "jwks-file", "", "file with the public keys that the client signs with, a JSON Web Key Set; - is standard input")
	f.StringVar(&o.JWKSURI, "jwks-uri", "", "where the public keys that the client signs with are")
	f.StringVar(&o.ClientAssertionAudience, "assertion-audience", "", "Issuer: assertions must have the issuer as one text, and nothing else, as aud (default: also endpoints and lists)")
	f.BoolVar(&o.RequirePKCE, "require-pkce", false, "refuse authorization requests without PKCE")
	f.BoolVar(&o.RequirePushedRequests, "require-par", false, "refuse authorization requests that were not pushed")
	f.BoolVar(&o.RequireSignedRequestObject, "require-signed-request-object", false, "refuse authorization requests that the client has not signed (RFC 9101)")
	f.StringVar(&o.RequestObjectSigningAlg, "request-object-alg", "", "algorithm of its request objects, or none for unsigned ones (default: any)")
	f.BoolVar(&o.DPoPBoundAccessTokens, "require-dpop", false, "refuse token requests without a DPoP proof")
	f.StringVar(&o.Consent, "consent", registration.ConsentRemember, "when people are asked to agree: Always, Remember or Never")
	f.StringArrayVar(&o.AllowedGroups, "allowed-group", nil, "group whose members may use the client (may be repeated; default: everybody)")
	f.StringVar(&o.AccessRule, "access-rule", "", "CEL expression that gives true for those who may use the client (default: everybody)")
	f.StringArrayVar(&o.Contacts, "contact", nil, "whom to ask about the client: an e-mail address, a URL or a few words (may be repeated)")
	f.StringArrayVar(&o.claims, "claim", nil, "claim of the client's own, as NAME=EXPRESSION in CEL (may be repeated)")
	f.StringVar(&o.ClaimsIn, "claims-in", "", "where claims about people stand: Both (default), IDToken or Userinfo")
	f.StringVar(&o.SubjectMode, "subject-mode", "", "what sub tells the client: Public (default), Pairwise, Username, Email, UserUUID or Expression")
	f.StringVar(&o.SubjectExpression, "subject-expression", "", "CEL expression that gives sub for --subject-mode Expression")
	f.StringVar(&o.SectorIdentifier, "sector-identifier", "", "host that clients with the same pairwise subjects share (default: that of the redirect URIs)")
	f.StringVar(&o.IDTokenSignedResponseAlg, "id-token-alg", "", "algorithm of its ID tokens (default: that of the oldest key)")
	f.StringVar(&o.UserinfoSignedResponseAlg, "userinfo-alg", "", "algorithm of a signed answer of userinfo (default: plain JSON)")
	f.StringVar(&o.AccessTokenFormat, "access-token-format", "", "Opaque (default) or JWT")
	f.StringArrayVar(&o.Resources, "resource", nil, "URI of a resource server that the client may ask tokens for (may be repeated)")
	f.StringVar(&o.BackchannelLogoutURI, "backchannel-logout-uri", "", "where the provider tells the client of a logout")
	f.BoolVar(&o.BackchannelLogoutSessionRequired, "backchannel-logout-session-required", false, "the client wants to know which session has ended")
	f.BoolVar(&o.BackchannelLogoutOnExpiry, "backchannel-logout-on-expiry", false, "the client wants to know also of sessions that merely run out")
	f.StringVar(&o.FrontchannelLogoutURI, "frontchannel-logout-uri", "", "what a browser opens to log out of the client")
	f.BoolVar(&o.FrontchannelLogoutSessionRequired, "frontchannel-logout-session-required", false, "the client wants to know which session has ended")
}

// complete fills in what follows from the flags, and returns the new secret of a client that has one.
func (o *clientOptions) complete(given *pflag.FlagSet) (secret string, err error) {
	if o.public {
		if o.TokenEndpointAuthMethod != registration.AuthMethodAny && !o.Public() {
			return "", errors.New("--public and --auth-method exclude each other")
		}
		o.TokenEndpointAuthMethod = registration.AuthMethodNone
	}
	for _, claim := range o.claims {
		name, text, ok := strings.Cut(claim, "=")
		if !ok {
			return "", fmt.Errorf("--claim must be NAME=EXPRESSION, not %q", claim)
		}
		o.Claims = append(o.Claims, registration.Claim{Name: name, Expression: text})
	}
	for i, grantType := range o.GrantTypes {
		if grantType == "device_code" {
			o.GrantTypes[i] = registration.GrantDeviceCode
		}
	}
	if !given.Changed("scope") && !o.MayUse(registration.GrantCode) && !o.MayUse(registration.GrantDeviceCode) {
		o.Scope = "" // the default is about people
	}
	if slices.Equal(o.GrantTypes, []string{registration.GrantCode}) {
		o.GrantTypes = nil
	}
	if o.jwksFile != "" {
		if o.JWKS, err = readKeys(o.jwksFile); err != nil {
			return "", err
		}
	}
	switch o.TokenEndpointAuthMethod {
	case registration.AuthMethodAny, registration.AuthMethodBasic, registration.AuthMethodPost:
		secret = newSecret()
		hash := registration.HashSecret(secret)
		o.Secrets = []registration.ClientSecret{{ID: registration.SecretID(hash), Hash: hash}}
	}
	return secret, nil
}

// maxKeysFile is more than any key set takes, in bytes.
const maxKeysFile = 256 << 10

func readKeys(path string) (json.RawMessage, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the administrator's choice
		if err != nil {
			return nil, fmt.Errorf("read --jwks-file: %w", err)
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxKeysFile))
	if err != nil {
		return nil, fmt.Errorf("read --jwks-file: %w", err)
	}
	if !json.Valid(data) {
		return nil, fmt.Errorf("--jwks-file %s does not hold JSON", path)
	}
	return data, nil
}
