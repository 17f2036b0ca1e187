package web

import (
	"fmt"
	"time"
)

func german() translation {
	return translation{tag: "de", texts: germanTexts(), span: germanSpan, ago: germanAgo, date: germanDate}
}

func germanSpan(n int, u unit) string {
	return count(n, [...]string{"Sekunde", "Minute", "Stunde", "Tag", "Monat", "Jahr"}[u], [...]string{"Sekunden", "Minuten", "Stunden", "Tage", "Monate", "Jahre"}[u])
}

func germanAgo(n int, u unit) string {
	if u == seconds {
		return "gerade eben"
	}
	// The preposition takes the dative.
	return "vor " + count(n, [...]string{"Sekunde", "Minute", "Stunde", "Tag", "Monat", "Jahr"}[u], [...]string{"Sekunden", "Minuten", "Stunden", "Tagen", "Monaten", "Jahren"}[u])
}

func germanDate(t time.Time) string {
	months := [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
	return fmt.Sprintf("%d. %s %d", t.Day(), months[t.Month()-1], t.Year())
}

func germanTexts() texts {
	return texts{
		"login.title":    "Anmelden",
		"login.to":       "weiter zu",
		"login.again":    "Bitte bestätigen Sie, dass Sie es sind.",
		"login.username": "Benutzername",
		"login.password": "Passwort",
		"login.submit":   "Anmelden",
		"login.rejected": "Benutzername oder Passwort ist falsch. Bitte prüfen Sie beides und versuchen Sie es noch einmal.",
		"login.busy":     "Gerade melden sich viele Personen an. Bitte warten Sie ein paar Sekunden und versuchen Sie es noch einmal.",
		"login.wait":     "Zu viele Anmeldungen sind fehlgeschlagen. Warten Sie %s und versuchen Sie es dann noch einmal.",

		"app.website": "Website",
		"app.policy":  "Datenschutzerklärung",
		"app.terms":   "Nutzungsbedingungen",

		"consent.title":  "Daten an %s weitergeben?",
		"consent.intro":  "Diese Anwendung möchte erfahren:",
		"consent.as":     "Sie sind angemeldet als",
		"consent.other":  "Anderes Konto verwenden",
		"consent.allow":  "Erlauben",
		"consent.deny":   "Ablehnen",
		"consent.return": "In beiden Fällen geht es zurück zu %s.",

		"scope.openid":         "Dass Sie es sind, wenn Sie wiederkommen",
		"scope.profile":        "Ihren Namen und Ihr Profil",
		"scope.email":          "Ihre E-Mail-Adresse",
		"scope.phone":          "Ihre Telefonnummer",
		"scope.address":        "Ihre Postanschrift",
		"scope.groups":         "Die Gruppen, denen Sie angehören",
		"scope.offline_access": "All das auch, während Sie nicht da sind",
		"scope.own":            "Was sie laut ihrer Einrichtung von Ihnen wissen soll",
		"scope.other":          "Berechtigungen, die nur ihre Dienste erklären können",
		"scope.resources":      "Zugriff auf diese Dienste in Ihrem Namen",

		"denied.title":            "%s ist nicht für dieses Konto",
		"denied.as":               "Sie sind angemeldet als",
		"denied.group":            "Die Anwendung ist nur für Mitglieder bestimmter Gruppen, und Sie sind in keiner davon. Wer sie betreut, kann Ihnen sagen, wer darüber entscheidet.",
		"denied.subject":          "Die Anwendung erkennt Menschen an einer Angabe, die von Ihnen nicht bekannt oder nicht brauchbar ist. Ihre Administration kann sie ergänzen.",
		"denied.email_unverified": "Die Anwendung erkennt Menschen an ihrer E-Mail-Adresse, und dass Ihre die Ihre ist, hat noch niemand bestätigt. Ihre Administration kann das tun.",
		"denied.email_shared":     "Die Anwendung erkennt Menschen an ihrer E-Mail-Adresse, und mit Ihrer ist hier noch jemand anderes eingetragen. Ihre Administration kann jedem eine eigene geben.",
		"denied.rule":             "Wer sie nutzen darf, bestimmt eine Regel, und die lässt dieses Konto nicht zu. Wer die Anwendung betreut, kann Ihnen mehr sagen.",
		"denied.undecided":        "Ob dieses Konto sie nutzen darf, ließ sich nicht feststellen. Wer die Anwendung betreut, kann helfen.",
		"denied.ask":              "Fragen können Sie hier:",
		"denied.other":            "Anderes Konto verwenden",
		"denied.back":             "Zurück zur Anwendung",
		"form_post.title":         "Einen Moment, bitte",
		"form_post.intro":         "Sie gehen zurück zu %s.",
		"form_post.submit":        "Weiter",
		"logout.title":            "Abmelden?",
		"logout.intro": "Damit endet Ihre Anmeldung hier und in jeder Anwendung, die darauf hört. In anderen können Sie angemeldet bleiben, " +
			"bis Sie sich dort abmelden.",
		"logout.asked":     "%s möchte Sie abmelden.",
		"logout.submit":    "Abmelden",
		"logout.stay":      "Abbrechen",
		"logged_out.title": "Sie sind abgemeldet",
		"logged_out.intro": "Schließen Sie den Browser, wenn auch andere dieses Gerät benutzen.",
		"logged_out.again": "Wieder anmelden",

		"home.title":        "Sie sind angemeldet",
		"home.title.nobody": "Sie sind nicht angemeldet",
		"home.intro.nobody": "Anwendungen leiten Sie hierher, wenn Sie sich bei ihnen anmelden.",
		"home.as":           "als",
		"home.login":        "Anmelden",
		"home.logout":       "Abmelden",
		"home.account":      "Ihr Konto",

		"account.title":           "Ihr Konto",
		"account.back":            "Ihr Konto",
		"account.managed":         "Diese Angaben pflegt Ihre Administration. Wenden Sie sich an sie, wenn etwas nicht stimmt.",
		"account.verified":        "bestätigt",
		"account.detail.name":     "Name",
		"account.detail.username": "Benutzername",
		"account.detail.email":    "E-Mail",
		"account.detail.phone":    "Telefon",
		"account.detail.address":  "Anschrift",
		"account.detail.groups":   "Gruppen",
		"account.done.password":   "Ihr Passwort ist geändert. Überall sonst sind Sie abgemeldet.",
		"account.done.ended":      "Sie sind dort abgemeldet.",
		"account.done.others":     "Überall sonst sind Sie abgemeldet.",
		"account.done.revoked":    "Die Anwendung hat keinen Zugriff mehr. Bei der nächsten Anmeldung fragt sie Sie wieder.",

		"sessions.title":      "Wo Sie angemeldet sind",
		"sessions.intro":      "Melden Sie ab, was Sie nicht wiedererkennen, und ändern Sie dann Ihr Passwort.",
		"sessions.on":         "%s unter %s",
		"sessions.unknown":    "Unbekannter Browser",
		"sessions.this":       "dieser Browser",
		"sessions.since":      "angemeldet %s",
		"sessions.seen":       "zuletzt benutzt %s",
		"sessions.end":        "Abmelden",
		"sessions.end_others": "Überall sonst abmelden",
		"sessions.end_all":    "Überall abmelden",

		"applications.title":  "Anwendungen mit Zugriff",
		"applications.intro":  "Diese Anwendungen dürfen etwas über Sie erfahren. Ohne Zugriff muss eine Anwendung Sie wieder fragen.",
		"applications.none":   "Keine Anwendung hat Zugriff. Wenn Sie sich bei einer anmelden, steht sie hier.",
		"applications.since":  "seit dem %s",
		"applications.used":   "zuletzt benutzt %s",
		"applications.revoke": "Zugriff entziehen",

		"password.title":         "Passwort ändern",
		"password.current":       "Aktuelles Passwort",
		"password.next":          "Neues Passwort",
		"password.repeat":        "Neues Passwort noch einmal",
		"password.hint":          "Mindestens %d Zeichen. Einige Wörter, die nichts miteinander zu tun haben, sind leicht zu merken und schwer zu erraten.",
		"password.submit":        "Passwort ändern",
		"password.ends":          "Überall außer in diesem Browser werden Sie abgemeldet.",
		"password.fault.current": "Das aktuelle Passwort ist falsch.",
		"password.fault.repeat":  "Das neue Passwort ist nicht beide Male dasselbe.",
		"password.fault.short":   "Das neue Passwort ist zu kurz.",
		"password.fault.long":    "Das neue Passwort ist zu lang.",
		"password.fault.common":  "Das neue Passwort gehört zu denen, die zuerst geraten werden. Wählen Sie ein anderes.",
		"password.fault.name":    "Das neue Passwort besteht aus Ihrem eigenen Namen. Wählen Sie ein anderes.",
		"password.fault.same":    "Das neue Passwort ist das, das Sie schon haben.",
		"password.fault.busy":    "Gerade melden sich viele Personen an. Das Passwort wurde nicht geändert; versuchen Sie es in ein paar Sekunden noch einmal.",

		"device.title":        "Gerät verbinden",
		"device.intro":        "Geben Sie den Code ein, den Ihr Gerät anzeigt.",
		"device.code":         "Code",
		"device.continue":     "Weiter",
		"device.wrong":        "Mit diesem Code wartet kein Gerät. Prüfen Sie, was das Gerät anzeigt; nach zehn Minuten braucht es einen neuen Code.",
		"device.often":        "Es wurden zu viele Codes versucht. Warten Sie zehn Minuten und beginnen Sie am Gerät noch einmal.",
		"device.confirm":      "%s hereinlassen?",
		"device.compare":      "Ein Gerät bittet um Zugang zu Ihrem Konto. Es muss gerade diesen Code anzeigen:",
		"device.warning":      "Machen Sie nur weiter, wenn Sie das selbst begonnen haben, an einem Gerät, das Ihnen gehört. Wer Ihnen den Code oder einen Link geschickt hat, käme in Ihr Konto.",
		"device.gets":         "Das Gerät erfährt, bis Sie es in Ihrem Konto zurücknehmen:",
		"device.allow":        "Hereinlassen",
		"device.deny":         "Ablehnen",
		"device.allowed":      "Das Gerät ist verbunden",
		"device.allowed.help": "Dort geht es in ein paar Sekunden weiter. Sie können diese Seite schließen.",
		"device.denied":       "Das Gerät wurde nicht hereingelassen",
		"device.denied.help":  "Hat Ihnen jemand den Code geschickt, wollte diese Person in Ihr Konto. Sie können diese Seite schließen.",

		"message.login.title":      "Sie sind angemeldet",
		"message.login.what":       "Schließen Sie dieses Fenster und kehren Sie zur Anwendung zurück.",
		"message.not_login.title":  "Sie sind nicht angemeldet",
		"message.not_login.what":   "Schließen Sie dieses Fenster und kehren Sie zur Anwendung zurück.",
		"message.logged_out.title": "Sie sind abgemeldet",
		"message.logged_out.what":  "Schließen Sie dieses Fenster. In Anwendungen bleiben Sie vielleicht angemeldet, bis Sie sich dort abmelden.",

		"logged_out.telling":     "Die Anwendungen, die Sie benutzt haben, erfahren gerade davon.",
		"logged_out.continue":    "Weiter",
		"logged_out.continue_to": "Weiter zu %s",
		"switched.title":         "Einen Moment, bitte",
		"switched.intro":         "Die Anwendungen der Person, die vorher angemeldet war, erfahren gerade, dass diese Anmeldung beendet ist.",

		"error.again":      "Noch einmal beginnen",
		"error.prefix":     "Fehler:",
		"error.detail":     "Für die Administration",
		"error.request_id": "Anfrage",

		"error.method.title":    "Das ist hier nicht möglich",
		"error.method.what":     "Die Seite wurde auf eine Weise aufgerufen, die sie nicht beantwortet.",
		"error.method.help":     "Gehen Sie zurück zur Anwendung und beginnen Sie dort noch einmal.",
		"error.not_found.title": "Diese Seite gibt es nicht",
		"error.not_found.what":  "Die Adresse ist falsch geschrieben oder veraltet.",
		"error.not_found.help":  "Gehen Sie zurück zur Anwendung und beginnen Sie dort noch einmal.",
		"error.form.title":      "Dieses Formular kann nicht angenommen werden",
		"error.form.what": "Es wurde nicht von einer Seite gesendet, die Sie in diesem Browser geöffnet haben, es ist zu alt, oder der Browser " +
			"behält keine Cookies dieser Website.",
		"error.form.help": "Es wurde nichts geändert. Beginnen Sie noch einmal; erscheint diese Seite wieder, erlauben Sie bitte Cookies für " +
			"diese Website.",
		"error.too_large.title": "Die Anfrage ist zu groß",
		"error.too_large.what":  "Die Anwendung oder eine Seite vor dieser hat mehr gesendet, als hier gelesen werden kann.",
		"error.too_large.help": "Gehen Sie zurück zur Anwendung und beginnen Sie noch einmal. Erscheint diese Seite wieder, sagen Sie es denen, " +
			"die die Anwendung betreuen.",
		"error.request.title": "Die Anfrage ist nicht gültig",
		"error.request.what":  "Was gesendet wurde, folgt nicht den Regeln und kann deshalb nicht beantwortet werden.",
		"error.request.help": "Gehen Sie zurück zur Anwendung und beginnen Sie noch einmal. Erscheint diese Seite wieder, sagen Sie es denen, " +
			"die die Anwendung betreuen.",
		"error.fault.title": "Hier ist etwas schiefgegangen",
		"error.fault.what":  "Der Anmeldedienst hat versagt. Es liegt nicht an Ihnen, und es wurde nichts geändert.",
		"error.fault.help": "Versuchen Sie es in einer Minute noch einmal. Erscheint diese Seite wieder, nennen Sie Ihrer Administration die " +
			"Anfrage unten; im Protokoll steht mehr dazu.",
		"error.busy.title":        "Gerade melden sich viele an",
		"error.busy.what":         "Der Anmeldedienst ist im Moment ausgelastet.",
		"error.busy.help":         "Warten Sie ein paar Sekunden und beginnen Sie noch einmal.",
		"error.unavailable.title": "Einen Moment, bitte",
		"error.unavailable.what":  "Der Anmeldedienst erreicht gerade seinen Speicher nicht. Es wurde nichts geändert.",
		"error.unavailable.help":  "Versuchen Sie es in ein paar Sekunden noch einmal.",
		"error.starting.title":    "Einen Moment, bitte",
		"error.starting.what":     "Der Anmeldedienst wurde eben gestartet und ist noch nicht bereit.",
		"error.starting.help":     "Laden Sie diese Seite in ein paar Sekunden neu.",
		"error.no_key.title":      "Anmeldungen sind noch nicht möglich",
		"error.no_key.what":       "Der Anmeldedienst hat keinen Signaturschlüssel.",
		"error.no_key.help":       "Ihre Administration muss einen SigningKey anlegen oder warten, bis einer aktiv wird.",

		"offer_return.title":    "Diese Anmeldung kann nicht beginnen",
		"offer_return.what":     "%s hat eine Anfrage gesendet, die sich nicht beantworten lässt. Sie haben sich nicht angemeldet, und niemand hat etwas über Sie erfahren.",
		"offer_return.help":     "Gehen Sie nur weiter, wenn Sie von dort kommen und die Adresse %s kennen. Dieser Anmeldedienst hat nicht geprüft, was Sie dort finden.",
		"offer_return.help_app": "Gehen Sie nur weiter, wenn Sie von diesem Programm kommen. Dieser Anmeldedienst hat nicht geprüft, was es Ihnen zeigt.",
		"offer_return.continue": "Weiter zu %s",

		"error.no_navigation.title": "Diese Seite kann nicht von einer anderen Seite geladen werden",
		"error.no_navigation.what":  "Eine Anmeldung muss auf einer Seite beginnen, die Sie sehen, nicht in einem Bild, einem Skript oder im Hintergrund.",
		"error.no_navigation.help":  "Öffnen Sie die Anwendung und melden Sie sich dort an.",

		"error.request_gone.title": "Diese Anmeldung ist vorbei",
		"error.request_gone.what": "Sie hat zu lange gedauert oder ist schon abgeschlossen. Was die Anwendung wollte, ist hier nicht " +
			"mehr bekannt.",
		"error.request_gone.help": "Gehen Sie zurück zur Anwendung und beginnen Sie dort von vorn.",

		"error.client_missing.title": "Die Anwendung sagt nicht, wer sie ist",
		"error.client_missing.what":  "Der Parameter client_id fehlt oder steht zweimal da.",
		"error.client_missing.help":  "Sagen Sie es denen, die die Anwendung betreuen: Jede Autorisierungsanfrage hat genau eine client_id.",
		"error.client_unknown.title": "Die Anwendung ist nicht registriert",
		"error.client_unknown.what":  "Hier gibt es keinen Client „%s“.",
		"error.client_unknown.help": "Sagen Sie es denen, die die Anwendung betreuen: Ihre Client-ID muss die aus dem Secret ihres OIDCClient sein, " +
			"und dieser OIDCClient muss bereit sein.",
		"error.client_disabled.title":       "Die Anwendung ist abgeschaltet",
		"error.client_disabled.what":        "%s kann zurzeit nicht benutzt werden.",
		"error.client_disabled.help":        "Ihre Administration hat sie abgeschaltet und kann sie wieder einschalten.",
		"error.app_unknown.title":           "Die Anwendung ist nicht registriert",
		"error.app_unknown.what":            "Hier gibt es keine Anwendung mit der gesendeten app_id, oder sie ist abgeschaltet.",
		"error.app_unknown.help":            "Sagen Sie es denen, die die Anwendung betreuen: Ihre app_id muss die aus dem Secret ihres OIDCClient sein, und dieser OIDCClient muss bereit sein.",
		"error.directory.title":             "Die Anwendung gehört zu einem anderen Verzeichnis",
		"error.directory.what":              "%s verlangt eine Domäne oder ein LDAP-Verzeichnis, das nicht das dieses Anmeldedienstes ist.",
		"error.directory.help":              "Sagen Sie es denen, die die Anwendung betreuen: domain_name und ldap_baseDN müssen die aus dem OIDCProvider sein oder fehlen.",
		"error.redirect_missing.title":      "Die Anwendung sagt nicht, wohin es zurückgeht",
		"error.redirect_missing.what":       "Der Parameter redirect_uri fehlt oder steht zweimal da.",
		"error.redirect_missing.help":       "Sagen Sie es denen, die die Anwendung betreuen: Jede Autorisierungsanfrage hat genau eine redirect_uri.",
		"error.redirect_unregistered.title": "Diese Rücksprungadresse ist nicht registriert",
		"error.redirect_unregistered.what": "%s möchte Sie an eine Adresse schicken, die für diese Anwendung nicht registriert ist. " +
			"Sie wurden deshalb nicht dorthin geschickt.",
		"error.redirect_unregistered.help": "Wer die Anwendung betreut, kann die Adresse in die Redirect-URIs ihres OIDCClient aufnehmen. " +
			"Sie muss Zeichen für Zeichen übereinstimmen; auch ein Schrägstrich am Ende zählt.",
		"error.logout_redirect.title": "Diese Rücksprungadresse ist nicht registriert",
		"error.logout_redirect.what": "Nach dem Abmelden sollten Sie an eine Adresse geschickt werden, die nicht registriert ist. " +
			"Deshalb ist nichts geschehen.",
		"error.logout_redirect.help": "Wer die Anwendung betreut, kann die Adresse in die Post-Logout-Redirect-URIs ihres OIDCClient aufnehmen. " +
			"Sie muss Zeichen für Zeichen übereinstimmen, und die Anfrage muss id_token_hint oder client_id enthalten.",
		"error.logout_hint.title": "Die Anfrage zum Abmelden ist nicht gültig",
		"error.logout_hint.what":  "Ihr id_token_hint ist kein ID-Token dieses Providers für diese Anwendung.",
		"error.logout_hint.help":  "Sie können sich stattdessen auf der Startseite abmelden.",
	}
}
