package synologysso

import (
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// Exchange is a request to SSOAccessToken.cgi.
type Exchange struct {
	// AppID is empty when the application does not say who it is, as the guide's own example does not.
	AppID string
	Token string
}

// maxToken is longer than any token that is handed out.
const maxToken = 256

// ReadExchange reads a request for what is known of a token's person.
func ReadExchange(params oidc.Parameters, malformed bool) (Exchange, error) {
	e := Exchange{AppID: strings.ToLower(params.Get(paramAppID)), Token: params.Get("access_token")}
	repeated := params.Repeated("action", "access_token", paramAppID)
	switch {
	case malformed:
		return e, fault(ParameterError, "the query is not well-formed application/x-www-form-urlencoded")
	case repeated != "":
		return e, fault(ParameterError, "%s stands there more than once", repeated)
	case params.Get("action") != "exchange":
		return e, fault(ParameterError, "action must be exchange")
	case e.Token == "":
		return e, fault(ParameterError, "access_token is missing")
	case e.AppID != "" && !appIDPattern.MatchString(e.AppID):
		return e, fault(InvalidAppID, "app_id must be 32 hexadecimal digits")
	case len(e.Token) > maxToken:
		return e, fault(InvalidToken, "access_token is longer than any token")
	}
	return e, nil
}

// Answer is that of an exchange. Data is there exactly when Success is true, and Error when it is not.
type Answer struct {
	Success bool   `json:"success"`
	Data    *Data  `json:"data,omitempty"`
	Error   Status `json:"error,omitempty"`
}

// Data is what an application gets to know of a person.
type Data struct {
	// UserID is the same for one person at every login, and never another's.
	UserID   int64  `json:"user_id"`
	UserName string `json:"user_name"`
}
