package web

import "time"

// Account shows what is known of a person, and leads to what they can do about their logins.
type Account struct {
	Person, Username string
	// Details are what is known, in the order in which they are shown.
	Details []Detail
	// Done names the text "account.done.<done>" of what was just done, or is empty.
	Done string
	// Sessions, Applications and Password are where the other pages are; Password is empty when there is none to change.
	Sessions, Applications, Password string
	// SessionCount and ApplicationCount tell how many there are.
	SessionCount, ApplicationCount int
	// Logout is the URL of the form that logs out, Token its hidden field.
	Logout, Token string
}

func (Account) template() string { return "account" }

// Detail is one thing that is known of a person.
type Detail struct {
	// Name names the text "account.detail.<name>".
	Name  string
	Value string
	// Verified tells that the value is known to be the person's.
	Verified bool
}

// Sessions lists the browsers in which a person is logged in.
type Sessions struct {
	Account       string
	Action, Token string
	Done          string
	Sessions      []Session
	// Others tells that there is another one than this.
	Others bool
}

func (Sessions) template() string { return "sessions" }

// Session is a browser in which a person is logged in.
type Session struct {
	ID string
	// Browser and System are names such as "Firefox" and "Windows"; empty when nothing is known.
	Browser, System string
	Address         string
	// This tells that the page is shown in this very browser.
	This               bool
	LoggedIn, LastSeen time.Time
}

// Applications lists those that may know something of a person, or act for them.
type Applications struct {
	Account       string
	Action, Token string
	Done          string
	Applications  []Authorized
}

func (Applications) template() string { return "applications" }

// Authorized is an application that a person has let in.
type Authorized struct {
	Application
	ClientID string
	Since    time.Time
	// LastUsed is when it last got something; zero when that is not known.
	LastUsed time.Time
	// Shared is what it may know.
	Shared []Shared
}

// ChangePassword asks for a new password.
type ChangePassword struct {
	Account       string
	Action, Token string
	Username      string
	MinLength     int
	// Fault names the text "password.fault.<fault>" of what was wrong with what was typed, or is empty; Field is the name of
	// the field that it is about.
	Fault, Field string
	// Wait is how long to wait before anything can be tried again.
	Wait time.Duration
}

func (ChangePassword) template() string { return "password" }
