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
	if got := usesOf(x).String(); got != `{"two":{"b":"2026-11-22T10:30:00Z"}}` {
		t.Errorf("got %s", got)
	}
	x.NoteSecretUse(two, "a", at.Add(time.Minute))
	putClient(t, x, "two", "a", "c")
	if got := usesOf(x).String(); got != `{"two":{"a":"2026-11-22T10:31:00Z"}}` {
		t.Errorf("what is gone is told still: %s", got)
	}
	putClient(t, x, "two", "c")
	if got := usesOf(x).String(); got != "" {
		t.Errorf("after the rotation: %s", got)
	}
}

func usesOf(x *registry.Index) registration.SecretUses {
	uses, _ := x.SecretUses()
	return uses
}

// putOwned registers a client of an owner that has several secrets.
func putOwned(t *testing.T, x *registry.Index, owner, id string) *registration.Client {
	t.Helper()
	document := fmt.Sprintf(`{"client_id":%q,"redirect_uris":["https://app.example.com/cb"],"scope":"openid","secrets":[{"id":"new","hash":%q},{"id":"old","hash":%q}]}`,
		id, registration.HashSecret("new"), registration.HashSecret("old"))
	if err := x.Put(registry.Document{Kind: registration.KindClient, Name: id, Owner: owner, Data: []byte(document)}); err != nil {
		t.Fatal(err)
	}
	c, _ := x.Client(id)
	return c
}

// An owner with many clients in a rotation must not hide the uses of another's secrets, and what is forgotten is said to be unknown.
func TestSecretUsesAreSharedFairly(t *testing.T) {
	x, _ := newIndex(t)
	at := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	for i := range 400 {
		x.NoteSecretUse(putOwned(t, x, "noisy", fmt.Sprintf("noisy.client%d", i)), "old", at)
	}
	for i := range 20 {
		x.NoteSecretUse(putOwned(t, x, fmt.Sprintf("quiet%d", i), fmt.Sprintf("quiet%d", i)), "old", at.Add(time.Minute))
	}
	uses, unknown := x.SecretUses()
	if len(uses) != 300 || len(uses.String()) > 100_000 {
		t.Errorf("%d clients in %d bytes", len(uses), len(uses.String()))
	}
	for i := range 20 {
		owner := fmt.Sprintf("quiet%d", i)
		if !uses[owner]["old"].Equal(at.Add(time.Minute)) || !unknown.Since(owner).IsZero() {
			t.Errorf("the use by %s is told as %v, and unknown until %v", owner, uses[owner], unknown.Since(owner))
		}
	}
	if !unknown.Since("noisy").Equal(at) {
		t.Errorf("what was forgotten is unknown until %v", unknown.Since("noisy"))
	}
}

// Owners whose uses are unknown are a bounded number, too: beyond it nobody's is known.
func TestUnknownUsesAreBounded(t *testing.T) {
	x, _ := newIndex(t)
	at := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	for i := range 600 {
		owner := fmt.Sprintf("owner%d", i)
		x.NoteSecretUse(putOwned(t, x, owner, owner+".app"), "old", at.Add(time.Duration(i)*time.Minute))
	}
	uses, unknown := x.SecretUses()
	if len(uses) != 300 || len(unknown.Owners) != 100 || len(unknown.String()) > 10_000 {
		t.Errorf("%d clients, %d owners in %d bytes", len(uses), len(unknown.Owners), len(unknown.String()))
	}
	for i := range 600 {
		owner, last := fmt.Sprintf("owner%d", i), at.Add(time.Duration(i)*time.Minute)
		if used := uses[owner+".app"]["old"]; !used.Equal(last) && unknown.Since(owner).Before(last) {
			t.Fatalf("the use by %s at %v is told as %v, and unknown until %v", owner, last, used, unknown.Since(owner))
		}
	}
}

// Room that a rotation has left is used again.
func TestSecretUsesAfterARotation(t *testing.T) {
	x, _ := newIndex(t)
	for i := range 300 {
		x.NoteSecretUse(putClient(t, x, fmt.Sprintf("client%d", i), "0123456789", "9876543210"), "0123456789", time.Now())
	}
	for i := range 300 {
		putClient(t, x, fmt.Sprintf("client%d", i), "0123456789")
	}
	x.NoteSecretUse(putClient(t, x, "late", "0123456789", "9876543210"), "0123456789", time.Now())
	if _, told := usesOf(x)["late"]; !told {
		t.Error("what is over leaves no room for others")
	}
}
