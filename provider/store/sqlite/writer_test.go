package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "provider.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// hold keeps the writer busy until release is called, so that what comes meanwhile goes into one batch.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.writer.do(context.Background(), func(*conn) error {
			close(busy)
			<-free
			return nil
		})
	}()
	<-busy
	return func() { close(free) }
}

// enqueue puts changes into the queue in order, while the writer is held, and returns what they are answered.
func enqueue(t *testing.T, s *Store, runs ...func(*conn) error) []<-chan error {
	t.Helper()
	answers := make([]<-chan error, 0, len(runs))
	for i, run := range runs {
		answer := make(chan error, 1)
		go func() { answer <- s.writer.do(context.Background(), run) }()
		for len(s.writer.queue.Waiting()) <= i {
			runtime.Gosched()
		}
		answers = append(answers, answer)
	}
	return answers
}

func insertConsent(subject string) func(*conn) error {
	return func(c *conn) error {
		_, err := c.exec("INSERT INTO consents (subject, client_id, scopes, granted_at) VALUES (?, '', '', 0)", subject)
		return err
	}
}

func TestWriterAnswersEveryChangeOfABatchByItself(t *testing.T) {
	errFault := errors.New("fault")
	fault := func(c *conn) error {
		return errors.Join(insertConsent("half done")(c), errFault)
	}
	replay := func(*conn) error { return store.ErrRedeemed }
	tests := map[string]struct {
		runs []func(*conn) error
		want []error
		kept []string
	}{
		"all good":              {[]func(*conn) error{insertConsent("a"), insertConsent("b")}, []error{nil, nil}, []string{"a", "b"}},
		"an answer among them":  {[]func(*conn) error{insertConsent("a"), replay, insertConsent("b")}, []error{nil, store.ErrRedeemed, nil}, []string{"a", "b"}},
		"a fault among them":    {[]func(*conn) error{insertConsent("a"), fault, insertConsent("b")}, []error{nil, errFault, nil}, []string{"a", "b"}},
		"a fault and an answer": {[]func(*conn) error{replay, fault, insertConsent("a")}, []error{store.ErrRedeemed, errFault, nil}, []string{"a"}},
		"nothing but a fault":   {[]func(*conn) error{fault}, []error{errFault}, nil},
		"nothing but faults":    {[]func(*conn) error{fault, fault}, []error{errFault, errFault}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			release := hold(t, s)
			answers := enqueue(t, s, tt.runs...)
			release()
			for i, answer := range answers {
				if err := <-answer; !errors.Is(err, tt.want[i]) {
					t.Errorf("change %d was answered %v; want %v", i, err, tt.want[i])
				}
			}
			var kept []string
			for _, subject := range []string{"a", "b", "half done"} {
				if _, err := s.Consent(t.Context(), subject, store.Client{}); err == nil {
					kept = append(kept, subject)
				}
			}
			if fmt.Sprint(kept) != fmt.Sprint(tt.kept) {
				t.Errorf("kept %v; want %v", kept, tt.kept)
			}
		})
	}
}

func TestACallerWhoGivesUpInTheQueueChangesNothing(t *testing.T) {
	s := openStore(t)
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- s.PutConsent(ctx, store.Consent{Subject: "given up"}) }()
	for len(s.writer.queue.Waiting()) == 0 { // until it is queued
		select {
		case err := <-answer:
			t.Fatalf("answered %v while the writer was held", err)
		default:
		}
	}
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("PutConsent() = %v; want %v", err, context.Canceled)
	}
	release()
	if err := s.Ping(t.Context()); err != nil { // everything queued before has been dealt with
		t.Fatal(err)
	}
	if _, err := s.Consent(t.Context(), "given up", store.Client{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Consent() = %v; want %v", err, store.ErrNotFound)
	}
}

func TestChangesThatWaitedTogetherAreOneTransaction(t *testing.T) {
	s := openStore(t)
	release := hold(t, s)
	const count = 100
	runs := make([]func(*conn) error, 0, count)
	for i := range count {
		runs = append(runs, insertConsent(fmt.Sprint(i)))
	}
	// While the last one runs, no other connection can see the first: it is not committed yet.
	runs = append(runs, func(*conn) error {
		if _, err := s.Consent(t.Context(), "0", store.Client{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the first change is visible before the last was made: %v", err)
		}
		return nil
	})
	answers := enqueue(t, s, runs...)
	release()
	for _, answer := range answers {
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Consent(t.Context(), "0", store.Client{}); err != nil {
		t.Errorf("the first change after its answer: %v", err)
	}
}

func TestSettingsThatDurabilityRestsOn(t *testing.T) {
	s := openStore(t)
	want := map[string]any{"journal_mode": "wal", "synchronous": int64(2), "busy_timeout": int64(5000)}
	for pragma, value := range want {
		err := get(s.write, "PRAGMA "+pragma, func(r *row) {
			if got := r.value(); got != value {
				t.Errorf("PRAGMA %s = %v; want %v", pragma, got, value)
			}
		})
		if err != nil {
			t.Errorf("PRAGMA %s: %v", pragma, err)
		}
	}
	c := <-s.readers
	defer func() { s.readers <- c }()
	if _, err := c.exec("DELETE FROM consents"); err == nil {
		t.Error("a reader's connection can write")
	}
}

// A purge or a list must not read a whole table of a million live rows to find its few.
func TestPurgesAndListsUseAnIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "provider.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for statement, index := range map[string]string{
		expiredSessions: "sessions_by_expiry", idleSessions: "sessions_by_last_seen", purgeGrants: "grants_by_expiry",
		purgeAccessTokens: "access_tokens_by_expiry", purgeDeviceRequests: "device_requests_by_expiry",
		purgePushedRequests: "pushed_requests_by_expiry", purgeUsedValues: "used_values_by_expiry", purgeFailures: "failures_by_expiry",
		purgeNotices: "notices_by_expiry", dueNotices: "notices_by_next", sessionsOf: "sessions_by_subject",
		authorizationsOf: "grants_by_subject", revokeGrants: "grants_by_subject", grantsOf: "grants_by_subject", deleteGrantsOf: "grants_by_subject",
	} {
		steps := plan(t, path, statement)
		if !strings.Contains(steps, "INDEX "+index) || strings.Contains(steps, "SCAN") {
			t.Errorf("plan of %s:\n%s\nwant index %s and no scan", statement, steps, index)
		}
	}
}

func plan(t *testing.T, path, statement string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	args := make([]any, strings.Count(statement, "?"))
	for i := range args {
		args[i] = i
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}
