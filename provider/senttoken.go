package provider

import (
	"mime"
	"net/http"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// The schemes by which a client sends an access token, which are also the values of token_type.
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

// sentToken is an access token as a request holds it.
type sentToken struct {
	value  string
	scheme string
}

// readSentToken returns the access token of a request: from the Authorization header (RFC 6750 section 2.1, RFC 9449
// section 7.1) or a posted form (RFC 6750 section 2.2), but not from both. One in the query counts for nothing, because it
// ends up in logs (RFC 9700 section 4.3.2).
func readSentToken(w http.ResponseWriter, r *http.Request) (sentToken, error) {
	sent, err := tokenOfHeader(r.Header["Authorization"])
	if err != nil {
		return sentToken{}, err
	}
	posted, err := tokenOfBody(w, r)
	if err != nil {
		return sentToken{}, err
	}
	query, _, err := readQuery(r)
	if err != nil {
		return sentToken{}, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the query is too long"}
	}
	ways := 0
	for _, value := range []string{sent.value, posted, query.Get("access_token")} {
		if value != "" {
			ways++
		}
	}
	switch {
	case ways > 1:
		return sentToken{}, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "send the access token in one way, not in two"}
	case posted != "":
		return sentToken{posted, schemeBearer}, nil
	case sent.value == "":
		return sentToken{}, errNoToken
	}
	return sent, nil
}

// tokenOfHeader returns nothing for other schemes than ours.
func tokenOfHeader(headers []string) (sentToken, error) {
	if len(headers) == 0 {
		return sentToken{}, nil
	}
	scheme, value, _ := strings.Cut(headers[0], " ")
	switch {
	case strings.EqualFold(scheme, schemeBearer):
		scheme = schemeBearer
	case strings.EqualFold(scheme, schemeDPoP):
		scheme = schemeDPoP
	default:
		return sentToken{}, nil
	}
	if value = strings.TrimLeft(value, " "); value == "" || len(headers) > 1 {
		return sentToken{}, &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "the Authorization header must hold one access token"}
	}
	return sentToken{value, scheme}, nil
}

func tokenOfBody(w http.ResponseWriter, r *http.Request) (string, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // "" when there is none or it is no media type
	if r.Method != http.MethodPost || kind != "application/x-www-form-urlencoded" {
		return "", nil
	}
	fields, err := readForm(w, r)
	if err != nil {
		return "", err
	}
	if fields.Repeated("access_token") != "" {
		return "", &oidc.Error{Code: oidc.CodeInvalidRequest, Description: "access_token is sent more than once"}
	}
	return fields.Get("access_token"), nil
}
