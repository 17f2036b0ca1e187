package web

import (
	"html/template"
	"time"
)

// Page is one of the pages below.
type Page interface {
	// template names the file in templates, without its end.
	template() string
}

// Application is what a client tells of itself.
type Application struct {
	Name        string
	Description string
	// Logo is an https URL, or empty.
	Logo    string
	Website string
	Policy  string
	Terms   string
}

// Login asks for username and password.
type Login struct {
	// Application is where the person wants to go; its Name is empty when they only want to log in.
	Application Application
	// Action is the form's URL, Token its hidden field.
	Action, Token string
	// Username is filled in beforehand.
	Username string
	// Rejected tells that username or password were wrong.
	Rejected bool
	// Busy tells that too many logins are waiting.
	Busy bool
	// Wait is how long to wait, because too many logins have failed.
	Wait time.Duration
	// Again tells that the person is logged in and is asked once more who they are.
	Again bool
}

func (Login) template() string { return "login" }

// Consent asks whether the application may know what it wants to know.
type Consent struct {
	Application   Application
	Action, Token string
	// Person and Username tell who is logged in.
	Person, Username string
	// Shared is what the application gets to know.
	Shared []Shared
	// OtherAccount is where the person can log in as someone else.
	OtherAccount string
	// ReturnHost is the host to which the person goes next.
	ReturnHost string
}

func (Consent) template() string { return "consent" }

// Shared is one line of what an application gets to know.
type Shared struct {
	// Scope names the text "scope.<scope>".
	Scope string
	// Value is what it is for this person, or empty.
	Value string
}

// DeviceCode asks for the code that a device shows.
type DeviceCode struct {
	Action, Token string
	// Person and Username tell who is logged in; OtherAccount is where they can log in as someone else.
	Person, Username string
	OtherAccount     string
	// Fault names the text "device.<fault>" that says why the code is asked for once more, or is empty.
	Fault string
}

func (DeviceCode) template() string { return "device_code" }

// DeviceConfirm asks whether a device may come in.
type DeviceConfirm struct {
	Application Application
	// Code is what the device must be showing, too.
	Code          string
	Action, Token string
	// Person and Username tell who is logged in; OtherAccount is where they can log in as someone else.
	Person, Username string
	OtherAccount     string
	// Shared is what the device gets to know.
	Shared []Shared
}

func (DeviceConfirm) template() string { return "device_confirm" }

// DeviceDone tells what was decided about a device.
type DeviceDone struct {
	Application Application
	Allowed     bool
}

func (DeviceDone) template() string { return "device_done" }

// Error says what went wrong and what can be done.
type Error struct {
	// Text names the texts "error.<text>.title", ".what" and ".help"; Args fill the placeholders of ".what".
	Text string
	Args []any
	// Detail is a technical line for whoever looks after the application.
	Detail string
	// Again is where the person can start over, or empty.
	Again     string
	RequestID string
}

func (Error) template() string { return "error" }

// OfferReturn tells a person who has not signed in that an application's request failed, and leads back to the application when they say so.
type OfferReturn struct {
	Application Application
	ReturnHost  string
	// Link leads to the application; empty where a form with Action and Fields does.
	Link   template.URL
	Action string
	Fields []Field
	// Detail is a technical line for whoever looks after the application.
	Detail    string
	RequestID string
}

func (OfferReturn) template() string { return "offer_return" }

// Denied tells a person that an application is not for them.
type Denied struct {
	Application Application
	// Reason names the text "denied.<reason>".
	Reason string
	// Contacts are whom to ask; without any the reason says it in general.
	Contacts []Contact
	// Device tells that it is a device that asks, which nobody can go back to.
	Device bool
	// Action is the URL of the form that goes back to the application, Token its hidden field.
	Action, Token    string
	Person, Username string
	// OtherAccount is where the person can log in as someone else.
	OtherAccount string
}

func (Denied) template() string { return "denied" }

// Contact is somebody whom a person can ask.
type Contact struct {
	// Text is an e-mail address, a URL or a few words. URL, if not empty, is where it leads.
	Text, URL string
}

// FormPost posts an answer to an application, by itself where scripts run, else when the person says so.
type FormPost struct {
	// Action is the application's URL.
	Action string
	Fields []Field
	// ReturnHost is the host of Action.
	ReturnHost string
}

func (FormPost) template() string { return "form_post" }

// Field is a hidden field of a form.
type Field struct{ Name, Value string }

// ConfirmLogout asks whether to log out.
type ConfirmLogout struct {
	Application      Application
	Action, Token    string
	Person, Username string
	// Home is where the person goes who wants to stay logged in.
	Home string
}

func (ConfirmLogout) template() string { return "confirm_logout" }

// FramedLogout is ConfirmLogout for the script of package synologysso: where a page of one of Ancestors frames it, it sends its form
// by itself.
type FramedLogout struct {
	ConfirmLogout
	// Ancestors are the origins whose pages may frame the page.
	Ancestors []string
}

func (FramedLogout) template() string { return "framed_logout" }

// Message tells the page that has opened this one, or frames it, something by a message, and closes itself where all is well.
type Message struct {
	// Text names the texts "message.<text>.title" and ".what" for people who see the page; with Fault, "error.<text>.title" and ".what".
	Text  string
	Fault bool
	// Args fill the placeholders of ".what".
	Args []any
	// Detail is a technical line for whoever looks after the application.
	Detail    string
	RequestID string
	// Data is the message, and Target the origin whose pages may read it, or "*".
	Data, Target string
	// Ancestors are the origins whose pages may frame the page.
	Ancestors []string
	// Frames are pages of applications that the browser loads first, to tell them of a logout.
	Frames []string
}

func (Message) template() string { return "message" }

// LoggedOut tells that nobody is logged in any more, or, when Switched, that somebody else is.
type LoggedOut struct {
	Switched bool
	// Login is where the person can log in again.
	Login string
	// Frames are pages of applications that the browser loads to tell them of the logout.
	Frames []string
	// Continue is where the page goes on to by itself, or empty; Application whose page that is.
	Continue    template.URL
	Application Application
}

func (LoggedOut) template() string { return "logged_out" }

// Home tells who is logged in.
type Home struct {
	// Person and Username are empty when nobody is.
	Person, Username string
	Login            string
	// Account is where the person sees what is known of them.
	Account string
	// Logout is the URL of the form that logs out, Token its hidden field.
	Logout, Token string
}

func (Home) template() string { return "home" }
