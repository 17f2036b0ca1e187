package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what a browser is shown; empty fields are left out.
type page struct {
	Title    string
	Error    string
	Issuer   string
	ClientID string

	Name           string
	IDTokenClaims  string // indented JSON
	UserinfoClaims string // indented JSON
	EndSession     string // URL of the provider's end_session_endpoint
	IDToken        string // the hint for it
	Home           string // where to return to from there; registered for the client
}

func show(w http.ResponseWriter, status int, p page) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, p); err != nil {
		slog.Error("render the page", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the callback's URL holds the code
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	if _, err := w.Write(body.Bytes()); err != nil {
		slog.Warn("send the page", "error", err)
	}
}

func showError(w http.ResponseWriter, status int, title string, err error) {
	slog.Warn(title, "error", err)
	show(w, status, page{Title: title, Error: err.Error()})
}
