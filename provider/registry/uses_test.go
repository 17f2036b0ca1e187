package registry_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// putClient registers a client with secrets of these IDs.
func putClient(t *testing.T, x *registry.Index, id string, secrets ...string) *registration.Client {
	t.Helper()
	document := fmt.Sprintf(`{"client_id":%q,"redirect_uris":["https://app.example.com/cb"],"scope":"openid","secrets":[`, id)
	for i, s := range secrets {
		if i > 0 {
			document += ","
		}
		document += fmt.Sprintf(`{"id":%q,"hash":%q}`, s, registration.HashSecret(s))
	}
	if err := x.Upsert(registration.KindClient, id, []byte(document+"]}")); err != nil {
		t.Fatal(err)
	}
	c, _ := x.Client(id)
	return c
}

func TestSecretUses(t *testing.T) {
	x, err := registry.NewIndex(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 30, 59, 0, time.UTC)
	one, two := putClient(t, x, "one", "a"), putClient(t, x, "two", "a", "b")
	x.NoteSecretUse(one, "a", at)
	x.NoteSecretUse(two, "b", at)
	x.NoteSecretUse(two, "b", at.Add(-time.Hour))
	if got := x.SecretUses().String(); got != `{"two":{"b":"2026-11-22T10:30:00Z"}}` {
		t.Errorf("got %s", got)
	}
	x.NoteSecretUse(two, "a", at.Add(time.Minute))
	putClient(t, x, "two", "a", "c")
	if got := x.SecretUses().String(); got != `{"two":{"a":"2026-11-22T10:31:00Z"}}` {
		t.Errorf("what is gone is told still: %s", got)
	}
	putClient(t, x, "two", "c")
	if got := x.SecretUses().String(); got != "" {
		t.Errorf("after the rotation: %s", got)
	}
}

func TestSecretUsesAreBounded(t *testing.T) {
	x, err := registry.NewIndex(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 400 {
		x.NoteSecretUse(putClient(t, x, fmt.Sprintf("client%d", i), "0123456789", "9876543210"), "0123456789", time.Now())
	}
	if got := x.SecretUses(); len(got) != 300 || len(got.String()) > 100_000 {
		t.Errorf("%d clients in %d bytes", len(got), len(got.String()))
	}
	for i := range 300 {
		putClient(t, x, fmt.Sprintf("client%d", i), "0123456789")
	}
	x.NoteSecretUse(putClient(t, x, "late", "0123456789", "9876543210"), "0123456789", time.Now())
	if _, told := x.SecretUses()["late"]; !told {
		t.Error("what is over leaves no room for others")
	}
}
