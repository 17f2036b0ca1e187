package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

var spaceNow = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func openSmall(t *testing.T, path string, maxBytes int64) *Store {
	t.Helper()
	s, err := Open(context.Background(), path, Options{MaxBytes: maxBytes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func waitingRequest(i int) store.PushedRequest {
	return store.PushedRequest{
		Handle: store.HandleOf(store.NewValue(spaceNow)), Client: store.Client{ID: "app"}, Parameters: strings.Repeat("x", 8000),
		ExpiresAt: spaceNow.Add(time.Hour + time.Duration(i)),
	}
}

// fillWithRequests stores what strangers send until there is no room for more, and returns how much that was.
func fillWithRequests(t *testing.T, s *Store) (stored int) {
	t.Helper()
	for stored < 100_000 {
		err := s.CreatePushedRequest(t.Context(), waitingRequest(stored))
		if errors.Is(err, store.ErrFull) {
			return stored
		}
		if err != nil {
			t.Fatalf("after %d requests: %v", stored, err)
		}
		stored++
	}
	t.Fatal("there is no end to it")
	return 0
}

// signIn does all that a person and an application do: sign in, get a code, redeem it, refresh, sign out.
func signIn(t *testing.T, s *Store, name string) error {
	t.Helper()
	session := store.Session{
		Handle: store.HandleOf("session " + name), ID: "sid-" + name, Subject: "ada", AuthTime: spaceNow, LastSeenAt: spaceNow, ExpiresAt: spaceNow.Add(time.Hour),
	}
	grant := store.Grant{
		ID: "grant-" + name, Client: store.Client{ID: "app"}, Subject: "ada", SessionID: session.ID, AuthTime: spaceNow, CreatedAt: spaceNow,
		ExpiresAt: spaceNow.Add(time.Minute), Code: store.Code{Handle: store.HandleOf("code " + name), ExpiresAt: spaceNow.Add(time.Minute)},
	}
	refresh := func(i int) store.Refresh {
		return store.Refresh{Handle: store.HandleOf(fmt.Sprint("refresh ", name, i)), RotatedAt: spaceNow, IdleUntil: spaceNow.Add(time.Hour), ExpiresAt: spaceNow.Add(time.Hour)}
	}
	token := func(i int) *store.AccessToken {
		return &store.AccessToken{
			Handle: store.HandleOf(fmt.Sprint("token ", name, i)), GrantID: grant.ID, Client: grant.Client, IssuedAt: spaceNow, ExpiresAt: spaceNow.Add(time.Hour),
		}
	}
	ctx := t.Context()
	for _, step := range []func() error{
		func() error { return s.CreateSession(ctx, session) },
		func() error { return s.CreateGrant(ctx, grant) },
		func() error { return s.RedeemCode(ctx, grant.ID, refresh(0), token(0), spaceNow.Add(time.Hour)) },
		func() error {
			return s.RotateRefresh(ctx, grant.ID, refresh(0).Handle, refresh(1), token(1), spaceNow.Add(time.Hour))
		},
		func() error { return s.EndSession(ctx, session.ID, nil) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func mustSignIn(t *testing.T, s *Store, when string) {
	t.Helper()
	if err := signIn(t, s, when); err != nil {
		t.Errorf("signing in %s: %v", when, err)
	}
}

// purgeAll purges until nothing is left of what has expired long after spaceNow.
func purgeAll(t *testing.T, s *Store) (deleted int) {
	t.Helper()
	for {
		n, err := s.Purge(t.Context(), spaceNow.Add(24*time.Hour), spaceNow.Add(-time.Hour), 500, nil)
		if err != nil {
			t.Fatalf("Purge after %d rows: %v", deleted, err)
		}
		if deleted += n; n == 0 {
			return deleted
		}
	}
}

func TestStrangersLeaveRoomForPeople(t *testing.T) {
	const size = 2 << 20
	path := filepath.Join(t.TempDir(), "provider.db")
	s := openSmall(t, path, size)
	stored := fillWithRequests(t, s)
	if stored < 100 {
		t.Errorf("only %d requests fit", stored)
	}
	if err := s.CreateDeviceRequest(t.Context(), store.DeviceRequest{Handle: store.HandleOf("d"), UserCode: "d"}); !errors.Is(err, store.ErrFull) {
		t.Errorf("a device: %v", err)
	}
	for i := range 40 {
		mustSignIn(t, s, fmt.Sprint("at the limit of strangers ", i))
	}
	// What clients get for themselves has more room, and ends too.
	tokens := 0
	for err := error(nil); ; tokens++ {
		err = s.CreateAccessToken(t.Context(), store.AccessToken{
			Handle: store.HandleOf(fmt.Sprint("own ", tokens)), Client: store.Client{ID: strings.Repeat("c", 2000)}, IssuedAt: spaceNow, ExpiresAt: spaceNow.Add(time.Hour),
		})
		if errors.Is(err, store.ErrFull) {
			break
		}
		if err != nil || tokens > 100_000 {
			t.Fatalf("after %d tokens: %v", tokens, err)
		}
	}
	if tokens == 0 {
		t.Error("clients have no more room than strangers")
	}
	for i := range 20 {
		mustSignIn(t, s, fmt.Sprint("at the limit of clients ", i))
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if deleted := purgeAll(t, s); deleted < stored+tokens {
		t.Errorf("%d rows were purged; %d requests and %d tokens were there", deleted, stored, tokens)
	}
	if again := fillWithRequests(t, s); again < stored*9/10 {
		t.Errorf("after the purge %d requests fit; before it was %d", again, stored)
	}
	if got := fileSize(path); got > size-size/reservedPart {
		t.Errorf("the database has %d bytes", got)
	}
}

// A purge must work when not even people can sign in any more, also after a restart.
func TestPurgeWorksWhenNothingElseDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "provider.db")
	s := openSmall(t, path, 2<<20)
	fillWithRequests(t, s)
	full := false
	for i := 0; i < 100_000 && !full; i++ {
		err := s.PutConsent(t.Context(), store.Consent{Subject: fmt.Sprint(i, strings.Repeat("x", 3000)), GrantedAt: spaceNow})
		if full = err != nil; full && !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	full = false
	for i := 0; i < 1000 && !full; i++ {
		full = signIn(t, s, fmt.Sprint("when it is full ", i)) != nil
	}
	if !full {
		t.Fatal("it is not full")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openSmall(t, path, 2<<20)
	if deleted := purgeAll(t, s); deleted < 50 {
		t.Errorf("%d rows were purged", deleted)
	}
	mustSignIn(t, s, "after the purge")
}

// A volume is measured while the program runs: it may grow.
func TestALargerVolumeIsUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "provider.db")
	s := openSmall(t, path, 0)
	if used, limit := s.Size(); used <= 0 || limit <= 0 || limit > defaultMaxBytes {
		t.Errorf("Size() = %d, %d", used, limit)
	}
	total := int64(2 << 20)
	s.space.volume = func(string) (int64, int64, bool) { return total, total, true }
	purgeAll(t, s)
	small := fillWithRequests(t, s)
	total = 8 << 20
	purgeAll(t, s)
	if large := fillWithRequests(t, s); large < 3*small {
		t.Errorf("%d requests fit a volume of 2 MiB, and %d one of 8 MiB", small, large)
	}
	if _, limit := s.Size(); limit != total-total/reservedPart {
		t.Errorf("the limit is %d", limit)
	}
}

// fillVolume takes all the room that a volume has, as others may who share it.
func fillVolume(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if n, err := f.Write(make([]byte, size)); err != nil || n < size {
				break
			}
		}
	}
}

// Others fill the volume: people still sign in and refresh, the purge works, also after a restart, and with room all is as before.
func TestAFullVolumeHealsByItself(t *testing.T) {
	dir := smallVolume(t, 16<<20)
	path, others := filepath.Join(dir, "provider.db"), filepath.Join(dir, "others")
	s := openSmall(t, path, 0)
	if fileSize(s.space.ballastPath()) == 0 {
		t.Fatal("nothing is reserved")
	}
	for i := range 300 {
		if err := s.CreatePushedRequest(t.Context(), waitingRequest(i)); err != nil {
			t.Fatal(err)
		}
	}
	fillVolume(t, others)
	for i := range 20 {
		mustSignIn(t, s, fmt.Sprint("on a full volume ", i))
	}
	refused := false
	for i := 0; i < 5000 && !refused; i++ {
		refused = s.CreatePushedRequest(t.Context(), waitingRequest(i)) != nil
	}
	if !refused {
		t.Error("strangers are not refused")
	}
	mustSignIn(t, s, "when strangers are refused")
	if err := s.Close(); err != nil {
		t.Logf("Close on a full volume: %v", err)
	}
	s = openSmall(t, path, 0)
	if deleted := purgeAll(t, s); deleted < 300 {
		t.Errorf("%d rows were purged", deleted)
	}
	mustSignIn(t, s, "after the purge")
	if err := os.Remove(others); err != nil {
		t.Fatal(err)
	}
	purgeAll(t, s)
	if err := s.CreatePushedRequest(t.Context(), waitingRequest(1)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if fileSize(s.space.ballastPath()) == 0 {
		t.Error("nothing is reserved again")
	}
}

// A program from before there were limits has filled the volume to its last byte. With a larger volume the next one starts, and drops what
// has filled it.
func TestAVolumeThatWasFilledBeforeThereWereLimits(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprint("killed ", killed), func(t *testing.T) {
			dir := smallVolume(t, 24<<20)
			path := filepath.Join(dir, "provider.db")
			s := openSmall(t, path, 0)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(s.space.ballastPath()); err != nil {
				t.Fatal(err)
			}
			old, err := connect(dsn(path, "synchronous(FULL)", "wal_autocheckpoint(2000)"))
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{
				"DROP INDEX pushed_requests_by_origin", "DROP INDEX device_requests_by_origin",
				"ALTER TABLE pushed_requests DROP COLUMN network", "ALTER TABLE pushed_requests DROP COLUMN size",
				"ALTER TABLE device_requests DROP COLUMN network", "ALTER TABLE device_requests DROP COLUMN size",
				"DELETE FROM goose_db_version WHERE version_id >= 5",
			} {
				if _, err := old.exec(sql); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
			}
			for i := 0; err == nil; i++ {
				r := waitingRequest(i)
				_, err = old.exec("INSERT INTO pushed_requests (handle, client_id, client_uid, parameters, expires_at) VALUES (?, ?, '', ?, ?)",
					r.Handle[:], r.Client.ID, strings.Repeat("x", 31<<10), micros(r.ExpiresAt))
			}
			if !isFull(err) {
				t.Fatal(err)
			}
			if killed { // a copy of its files is what a killed program leaves behind
				restore := copyFiles(t, filepath.Dir(path))
				_ = old.close()
				restore()
			} else if err := old.close(); err != nil {
				t.Logf("the old program could not close its database: %v", err)
			}
			if early, err := Open(t.Context(), path, Options{}); err == nil {
				t.Error("it starts, although there is no room for anything")
				_ = early.Close()
			}
			growVolume(t, dir, 48<<20)
			s = openSmall(t, path, 0)
			mustSignIn(t, s, "after the upgrade")
			if stored := fillWithRequests(t, s); stored < 1000 {
				t.Errorf("strangers have room for %d requests", stored)
			}
			mustSignIn(t, s, "at the limit of strangers")
		})
	}
}

// copyFiles remembers the files of a directory and returns what brings them back.
func copyFiles(t *testing.T, dir string) (restore func()) {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for _, e := range entries {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
		for name, content := range files {
			if !strings.HasSuffix(name, "-shm") { // which is made anew
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
