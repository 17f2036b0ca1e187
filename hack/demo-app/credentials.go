package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// credentials is what the application has to know about its provider: the keys
// of the credentials Secret that it uses.
type credentials struct {
	issuer       string
	clientID     string
	clientSecret string // empty for a public client
	scopes       []string
	endSession   string // where to sign out; empty when the provider has no such endpoint
}

// readCredentials reads the files of a mounted Secret. Only the keys that a
// client may lack can be missing.
func readCredentials(dir string) (credentials, error) {
	var c credentials
	var scopes string
	for _, key := range []struct {
		name     string
		value    *string
		optional bool
	}{
		{"issuer", &c.issuer, false},
		{"client_id", &c.clientID, false},
		{"client_secret", &c.clientSecret, true},
		{"scopes", &scopes, false},
		{"end_session_endpoint", &c.endSession, true},
	} {
		data, err := os.ReadFile(filepath.Join(dir, key.name))
		if key.optional && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return credentials{}, fmt.Errorf("read the credentials: %w", err)
		}
		*key.value = strings.TrimSpace(string(data))
	}
	c.scopes = strings.Fields(scopes)
	return c, nil
}
