package web

import (
	"fmt"
	"time"
)

func english() translation {
	return translation{tag: "en", texts: englishTexts(), span: englishSpan, ago: englishAgo, date: englishDate}
}

func englishSpan(n int, u unit) string {
	return count(n, [...]string{"second", "minute", "hour", "day", "month", "year"}[u], [...]string{"seconds", "minutes", "hours", "days", "months", "years"}[u])
}

func englishAgo(n int, u unit) string {
	if u == seconds {
		return "just now"
	}
	return englishSpan(n, u) + " ago"
}

func englishDate(t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), t.Month(), t.Year())
}

func englishTexts() texts {
	return texts{
		"login.title":          "Log in",
		"login.to":             "to continue to",
		"login.again":          "Please confirm that it is you.",
		"login.username":       "Username",
		"login.password":       "Password",
		"login.submit":         "Log in",
		"login.rejected":       "The username or password is wrong. Check both and try again.",
		"login.busy":           "Many people are logging in right now. Wait a few seconds and try again.",
		"login.wait":           "Too many logins have failed. Wait %s, then try again.",
		"app.website":          "Website",
		"app.policy":           "Privacy policy",
		"app.terms":            "Terms of service",
		"consent.title":        "Share with %s?",
		"consent.intro":        "This application wants to know:",
		"consent.as":           "You are logged in as",
		"consent.other":        "Use another account",
		"consent.allow":        "Allow",
		"consent.deny":         "Deny",
		"consent.return":       "Either way you go back to %s.",
		"scope.openid":         "That it is you, when you come back",
		"scope.profile":        "Your name and profile",
		"scope.email":          "Your e-mail address",
		"scope.phone":          "Your phone number",
		"scope.address":        "Your postal address",
		"scope.groups":         "The groups you belong to",
		"scope.offline_access": "All of this also while you are not there",
		"scope.own":            "What it has been set up to know of you",
		"scope.other":          "Permissions that only its services can explain",
		"scope.resources":      "Access in your name to these services",
		"denied.title":         "%s is not for this account",
		"denied.as":            "You are logged in as",
		"denied.group":         "It is only for members of certain groups, and you are in none of them. Whoever looks after the application can tell you who decides that.",
		"denied.subject":       "It knows people by something that is not known of you, or not usable. Your administrator can add it.",
		"denied.rule":          "Who may use it is decided by a rule, and that does not let this account in. Whoever looks after the application can tell you more.",
		"denied.undecided":     "Whether this account may use it could not be found out. Whoever looks after the application can help.",
		"denied.ask":           "Whom you can ask:",
		"denied.other":         "Use another account",
		"denied.back":          "Back to the application",
		"form_post.title":      "One moment, please",
		"form_post.intro":      "You are going back to %s.",
		"form_post.submit":     "Continue",
		"logout.title":         "Log out?",
		"logout.intro":         "This ends your login here, and in every application that listens. Others may keep you logged in until you log out of them.",
		"logout.asked":         "%s asks to log you out.",
		"logout.submit":        "Log out",
		"logout.stay":          "Cancel",
		"logged_out.title":     "You are logged out",
		"logged_out.intro":     "Close the browser if others use this device.",
		"logged_out.again":     "Log in again",
		"home.title":           "You are logged in",
		"home.title.nobody":    "You are not logged in",
		"home.intro.nobody":    "Applications send you here when you log in to them.",
		"home.as":              "as",
		"home.login":           "Log in",
		"home.logout":          "Log out",
		"home.account":         "Your account",

		"account.title":           "Your account",
		"account.back":            "Your account",
		"account.managed":         "Your administrator looks after these details. Ask them to correct what is wrong.",
		"account.verified":        "verified",
		"account.detail.name":     "Name",
		"account.detail.username": "Username",
		"account.detail.email":    "E-mail",
		"account.detail.phone":    "Phone",
		"account.detail.address":  "Address",
		"account.detail.groups":   "Groups",
		"account.done.password":   "Your password is changed. Everywhere else you are logged out.",
		"account.done.ended":      "You are logged out there.",
		"account.done.others":     "Everywhere else you are logged out.",
		"account.done.revoked":    "The application has no access any more. It will ask you the next time you log in to it.",

		"sessions.title":      "Where you are logged in",
		"sessions.intro":      "Log out what you do not recognize, and then change your password.",
		"sessions.on":         "%s on %s",
		"sessions.unknown":    "Unknown browser",
		"sessions.this":       "this browser",
		"sessions.since":      "logged in %s",
		"sessions.seen":       "last used %s",
		"sessions.end":        "Log out",
		"sessions.end_others": "Log out everywhere else",
		"sessions.end_all":    "Log out everywhere",

		"applications.title":  "Applications with access",
		"applications.intro":  "These applications may know something of you. Without access, an application has to ask you again.",
		"applications.none":   "No application has access. When you log in to one, it stands here.",
		"applications.since":  "since %s",
		"applications.used":   "last used %s",
		"applications.revoke": "Remove access",

		"password.title":         "Change password",
		"password.current":       "Current password",
		"password.next":          "New password",
		"password.repeat":        "New password again",
		"password.hint":          "At least %d characters. Some words that have nothing to do with each other are easy to remember and hard to guess.",
		"password.submit":        "Change password",
		"password.ends":          "Everywhere but in this browser you will be logged out.",
		"password.fault.current": "The current password is wrong.",
		"password.fault.repeat":  "The new password is not the same both times.",
		"password.fault.short":   "The new password is too short.",
		"password.fault.long":    "The new password is too long.",
		"password.fault.common":  "The new password is one of those that are guessed first. Choose another one.",
		"password.fault.name":    "The new password is made of your own name. Choose another one.",
		"password.fault.same":    "The new password is the one that you have.",
		"password.fault.busy":    "Many people are logging in right now. The password was not changed; try again in a few seconds.",

		"device.title":        "Connect a device",
		"device.intro":        "Type the code that your device shows.",
		"device.code":         "Code",
		"device.continue":     "Continue",
		"device.wrong":        "No device waits with this code. Check what the device shows; after ten minutes it needs a new code.",
		"device.often":        "Too many codes were tried. Wait ten minutes and start again on the device.",
		"device.confirm":      "Let %s in?",
		"device.compare":      "A device asks for your account. It must be showing this code now:",
		"device.warning":      "Go on only if you have started this yourself, on a device of yours. Whoever has sent you the code or a link would get into your account.",
		"device.gets":         "The device gets to know, until you take it back in your account:",
		"device.allow":        "Let it in",
		"device.deny":         "Deny",
		"device.allowed":      "The device is connected",
		"device.allowed.help": "It goes on in a few seconds. You can close this page.",
		"device.denied":       "The device was not let in",
		"device.denied.help":  "If somebody has sent you the code, they wanted to get into your account. You can close this page.",

		"logged_out.telling":     "The applications that you used are being told.",
		"logged_out.continue":    "Continue",
		"logged_out.continue_to": "Continue to %s",
		"switched.title":         "One moment, please",
		"switched.intro":         "The applications of the person who was logged in before are being told that this login is over.",

		"error.again":      "Start again",
		"error.prefix":     "Error:",
		"error.detail":     "For the administrator",
		"error.request_id": "Request",

		"error.method.title":    "This cannot be done here",
		"error.method.what":     "The page was asked for in a way that it does not answer.",
		"error.method.help":     "Go back to the application and start again from there.",
		"error.not_found.title": "There is no such page",
		"error.not_found.what":  "The address is misspelt or out of date.",
		"error.not_found.help":  "Go back to the application and start again from there.",
		"error.form.title":      "This form cannot be accepted",
		"error.form.what": "It was not sent from a page that you opened in this browser, it is too old, or the browser does not keep " +
			"cookies for this site.",
		"error.form.help":         "Nothing was changed. Start again; if this page comes back, allow cookies for this site.",
		"error.too_large.title":   "The request is too large",
		"error.too_large.what":    "The application, or a page before this one, sent more than can be read here.",
		"error.too_large.help":    "Go back to the application and start again. If this page comes back, tell whoever looks after the application.",
		"error.request.title":     "The request is not valid",
		"error.request.what":      "What was sent does not follow the rules, so that it cannot be answered.",
		"error.request.help":      "Go back to the application and start again. If this page comes back, tell whoever looks after the application.",
		"error.fault.title":       "Something went wrong here",
		"error.fault.what":        "The login service failed. It is not your fault, and nothing was changed.",
		"error.fault.help":        "Try again in a minute. If this page comes back, tell your administrator the request below; the log says more.",
		"error.busy.title":        "Many people are logging in",
		"error.busy.what":         "The login service is busy right now.",
		"error.busy.help":         "Wait a few seconds and start again.",
		"error.unavailable.title": "One moment, please",
		"error.unavailable.what":  "The login service cannot reach its storage right now. Nothing was changed.",
		"error.unavailable.help":  "Try again in a few seconds.",
		"error.starting.title":    "One moment, please",
		"error.starting.what":     "The login service has just been started and is not ready yet.",
		"error.starting.help":     "Reload this page in a few seconds.",
		"error.no_key.title":      "Logins are not possible yet",
		"error.no_key.what":       "The login service has no signing key.",
		"error.no_key.help":       "Your administrator has to create a SigningKey, or wait until one becomes active.",

		"error.request_gone.title": "This login is over",
		"error.request_gone.what":  "It took too long, or it was finished before, so that what the application asked for is not known here any more.",
		"error.request_gone.help":  "Go back to the application and start again from there.",

		"error.client_missing.title": "The application does not say who it is",
		"error.client_missing.what":  "The parameter client_id is missing, or stands there twice.",
		"error.client_missing.help":  "Tell whoever looks after the application: each authorization request has exactly one client_id.",
		"error.client_unknown.title": "The application is not registered",
		"error.client_unknown.what":  "There is no client “%s” here.",
		"error.client_unknown.help": "Tell whoever looks after the application: its client ID must be the one in the Secret of its OIDCClient, " +
			"and that OIDCClient must be ready.",
		"error.client_disabled.title":       "The application is switched off",
		"error.client_disabled.what":        "%s cannot be used at the moment.",
		"error.client_disabled.help":        "Your administrator has disabled it and can enable it again.",
		"error.redirect_missing.title":      "The application does not say where to return to",
		"error.redirect_missing.what":       "The parameter redirect_uri is missing, or stands there twice.",
		"error.redirect_missing.help":       "Tell whoever looks after the application: each authorization request has exactly one redirect_uri.",
		"error.redirect_unregistered.title": "This return address is not registered",
		"error.redirect_unregistered.what":  "%s asks to send you to an address that is not registered for it, so you were not sent there.",
		"error.redirect_unregistered.help": "Whoever looks after the application can add the address to the redirect URIs of its OIDCClient. " +
			"It must match to the letter; a slash at the end counts.",
		"error.logout_redirect.title": "This return address is not registered",
		"error.logout_redirect.what":  "You were to be sent to an address after logging out that is not registered, so nothing was done.",
		"error.logout_redirect.help": "Whoever looks after the application can add the address to the post-logout redirect URIs of its OIDCClient. " +
			"It must match to the letter, and the request must carry id_token_hint or client_id.",
		"error.logout_hint.title": "The request to log out is not valid",
		"error.logout_hint.what":  "Its id_token_hint is not an ID token of this provider for this application.",
		"error.logout_hint.help":  "You can log out on the start page instead.",
	}
}
