package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

const pendingCookie = "demo_app_login"

// pending is what a login in progress has to remember: it binds the answer to
// the browser that asked (state), the ID token to this request (nonce) and the
// code to this application (verifier).
type pending struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

func (p pending) remember(w http.ResponseWriter) {
	data, _ := json.Marshal(p) // three strings: cannot fail
	http.SetCookie(w, cookie(base64.RawURLEncoding.EncodeToString(data), 600))
}

// recall returns the login in progress and ends it: an answer counts once.
func recall(w http.ResponseWriter, r *http.Request) (pending, error) {
	var p pending
	c, err := r.Cookie(pendingCookie)
	if err != nil {
		return p, errors.New("this browser has no login in progress; start again")
	}
	http.SetCookie(w, cookie("", -1))
	data, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return p, fmt.Errorf("read the login in progress: %w", err)
	}
	if err := json.Unmarshal(data, &p); err != nil || p.State == "" {
		return p, errors.New("read the login in progress: not ours")
	}
	return p, nil
}

// cookie is not Secure because the demo runs without TLS on loopback. Lax and
// not Strict: the answer is a navigation that starts at the provider.
func cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: no TLS on loopback
		Name: pendingCookie, Value: value, Path: "/callback", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
