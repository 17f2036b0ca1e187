package registration_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func TestUserValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*registration.User)
		field  string
	}{
		"valid":                 {func(*registration.User) {}, ""},
		"no subject":            {func(u *registration.User) { u.Subject = "" }, "sub"},
		"long subject":          {func(u *registration.User) { u.Subject = strings.Repeat("x", 256) }, "sub"},
		"subject beyond ASCII":  {func(u *registration.User) { u.Subject = "ä" }, "sub"},
		"space in the username": {func(u *registration.User) { u.Username = "ada lovelace" }, "preferred_username"},
		"no username":           {func(u *registration.User) { u.Username = "" }, "preferred_username"},
		"email without @":       {func(u *registration.User) { u.Email = "ada" }, "email"},
		"verified nothing":      {func(u *registration.User) { u.EmailVerified = true }, "email_verified"},
		"password in the clear": {func(u *registration.User) { u.PasswordHash = "hunter2" }, "password_hash"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &registration.User{Subject: "s-1", Username: "ada"}
			test.change(u)
			checkFields(t, u.Validate(), test.field)
		})
	}
}

func signingKey(t *testing.T, algorithm string) *registration.SigningKey {
	t.Helper()
	keyID, jwk, err := keys.Generate(algorithm, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &registration.SigningKey{Name: "key", Algorithm: algorithm, CreatedAt: time.Now(), Keys: []registration.Key{
		{KeyID: keyID, Phase: registration.PhaseActive, PrivateJWK: jwk},
	}}
}

func TestSigningKeyValidate(t *testing.T) {
	public := json.RawMessage(`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`)
	for name, test := range map[string]struct {
		change func(*registration.SigningKey)
		field  string
	}{
		"valid":              {func(*registration.SigningKey) {}, ""},
		"symmetric":          {func(k *registration.SigningKey) { k.Algorithm, k.Keys = "HS256", nil }, "algorithm"},
		"other curve":        {func(k *registration.SigningKey) { k.Algorithm = "ES384" }, "keys[0].jwk"},
		"other key type":     {func(k *registration.SigningKey) { k.Algorithm = "RS256" }, "keys[0].jwk"},
		"kid of another key": {func(k *registration.SigningKey) { k.Keys[0].KeyID = "x" }, "keys[0].jwk"},
		"public key":         {func(k *registration.SigningKey) { k.Keys[0].PrivateJWK = public }, "keys[0].jwk"},
		"no key":             {func(k *registration.SigningKey) { k.Keys[0].PrivateJWK = nil }, "keys[0].jwk"},
		"unknown phase":      {func(k *registration.SigningKey) { k.Keys[0].Phase = "Resting" }, "keys[0].phase"},
		"twice":              {func(k *registration.SigningKey) { k.Keys = append(k.Keys, k.Keys[0]) }, "keys[1].kid"},
	} {
		t.Run(name, func(t *testing.T) {
			k := signingKey(t, "ES256")
			test.change(k)
			checkFields(t, k.Validate(), test.field)
		})
	}
}

func TestSigningKeyOfEveryAlgorithm(t *testing.T) {
	for _, algorithm := range registration.Algorithms() {
		if err := signingKey(t, algorithm).Validate(); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

func TestSettingsDefaults(t *testing.T) {
	s := registration.Settings{Sessions: registration.Sessions{Idle: registration.Duration(time.Hour)}}.WithDefaults()
	if s.Sessions.Idle != registration.Duration(time.Hour) || s.Sessions.Absolute == 0 || s.Lifetimes.IDToken == 0 {
		t.Errorf("got %+v", s)
	}
	base := registration.DefaultSettings().Lifetimes
	own := registration.Lifetimes{IDToken: registration.Duration(time.Minute)}.Over(base)
	if own.IDToken != registration.Duration(time.Minute) || own.AccessToken != base.AccessToken || own.AuthorizationCode != base.AuthorizationCode {
		t.Errorf("got %+v", own)
	}
	negative := registration.Settings{Sessions: registration.Sessions{Idle: -1}}
	checkFields(t, negative.Validate(), "sessions.idle")
}

func TestDurationJSON(t *testing.T) {
	data, err := json.Marshal(registration.Lifetimes{IDToken: registration.Duration(90 * time.Second)})
	if err != nil || string(data) != `{"id_token":"1m30s"}` {
		t.Fatalf("got %s, %v", data, err)
	}
	var back registration.Lifetimes
	if err := json.Unmarshal(data, &back); err != nil || back.IDToken != registration.Duration(90*time.Second) {
		t.Fatalf("got %+v, %v", back, err)
	}
}
