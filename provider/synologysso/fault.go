package synologysso

import "fmt"

// Status is what an application is told: that somebody is logged in, that nobody is, or what is wrong.
type Status string

// What is told when nothing is wrong.
const (
	StatusLogin    Status = "login"
	StatusNotLogin Status = "not_login"
	// StatusUnseen is for the script alone: the browser does not show its cookies to a frame on this page, so that nobody can
	// tell there who is logged in. The script opens a window instead, or says not_login.
	StatusUnseen Status = "unseen"
)

// What can be wrong, in the protocol's own words.
const (
	// ServerError: the provider cannot work at the moment, or is asked too often.
	ServerError Status = "server_error"
	// ParameterError: a parameter is missing, stands there twice or says what it cannot.
	ParameterError Status = "parameter_error"
	// InvalidAppID: no application has this app_id, or it is switched off.
	InvalidAppID Status = "invalid_app_id"
	// InvalidRedirectURI: the redirect URI is not registered for the application, to the letter.
	InvalidRedirectURI Status = "invalid_redirect_uri"
	// InvalidDirectoryService: the application insists on a directory that is not the provider's.
	InvalidDirectoryService Status = "invalid_directory_service"
	// InvalidToken: the token is unknown, used, too old, another application's, or its person may no longer log in.
	InvalidToken Status = "invalid_token"
	// UnknownError: anything else, such as a person for whom the application is not.
	UnknownError Status = "unknown_error"
)

// Faults lists what can be wrong.
func Faults() []Status {
	return []Status{
		ServerError, ParameterError, InvalidAppID, InvalidRedirectURI, InvalidDirectoryService, InvalidToken, UnknownError,
	}
}

// Fault says what is wrong with a request.
type Fault struct {
	// Status is one of Faults.
	Status Status
	// Detail is for whoever looks after the application. It repeats nothing of the request.
	Detail string
}

// Error returns status and detail.
func (f *Fault) Error() string { return string(f.Status) + ": " + f.Detail }

func fault(status Status, format string, args ...any) error {
	return &Fault{Status: status, Detail: fmt.Sprintf(format, args...)}
}
