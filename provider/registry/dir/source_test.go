package dir_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/registry/dir"
)

func clientDocument(id string) []byte {
	data, err := json.Marshal(registration.Client{
		ClientID: id, RedirectURIs: []string{"https://app.example.com/cb"}, Scope: "openid",
		Secrets: []registration.ClientSecret{{ID: "1", Hash: registration.HashSecret(id)}},
	})
	if err != nil {
		panic(err)
	}
	return data
}

// source is one that runs on a directory until the test ends.
type source struct {
	*registry.Index
	path string
	log  *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func start(t *testing.T, path string) *source {
	t.Helper()
	s := &source{path: path, log: &syncBuffer{}}
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	var err error
	if s.Index, err = registry.NewIndex(logger); err != nil {
		t.Fatal(err)
	}
	src := dir.New(path, s.Index, logger)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- src.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v; want nil once its context is done", err)
		}
	})
	eventually(t, "synced", src.Synced)
	return s
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

func (s *source) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.path, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *source) expectClients(t *testing.T, ids ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("exactly the clients %v are registered", ids), func() bool {
		for _, id := range ids {
			if _, ok := s.Client(id); !ok {
				return false
			}
		}
		return s.Counts().Clients == len(ids)
	})
}

func TestSourceFollowsTheDirectory(t *testing.T) {
	tests := map[string]struct {
		change func(t *testing.T, s *source)
		want   []string
	}{
		"a new file is registered": {
			func(t *testing.T, s *source) { s.write(t, "two.client.json", clientDocument("two")) },
			[]string{"one", "two"},
		},
		"a file that is written over is registered anew": {
			func(t *testing.T, s *source) { s.write(t, "one.client.json", clientDocument("uno")) },
			[]string{"uno"},
		},
		"a file that is renamed over another is registered": {
			func(t *testing.T, s *source) {
				s.write(t, ".one.client.json.tmp", clientDocument("uno"))
				rename(t, filepath.Join(s.path, ".one.client.json.tmp"), filepath.Join(s.path, "one.client.json"))
			},
			[]string{"uno"},
		},
		"a file that is removed is withdrawn": {
			func(t *testing.T, s *source) { remove(t, filepath.Join(s.path, "one.client.json")) },
			nil,
		},
		"a file that becomes invalid is withdrawn": {
			func(t *testing.T, s *source) { s.write(t, "one.client.json", []byte(`{"client_id":"one"}`)) },
			nil,
		},
		"a file beyond every bound is withdrawn": {
			func(t *testing.T, s *source) {
				s.write(t, "one.client.json", append(bytes.Repeat([]byte(" "), 2<<20), clientDocument("one")...))
			},
			nil,
		},
		"hidden files and other files are passed over": {
			func(t *testing.T, s *source) {
				s.write(t, ".three.client.json", clientDocument("three"))
				s.write(t, ".client.json", clientDocument("four"))
				s.write(t, "five.client.json~", clientDocument("five"))
				s.write(t, "six.client.json", clientDocument("six"))
			},
			[]string{"one", "six"},
		},
		"a directory that is replaced is read": {
			func(t *testing.T, s *source) {
				rename(t, s.path, s.path+".old")
				mkdir(t, s.path)
				s.write(t, "two.client.json", clientDocument("two"))
			},
			[]string{"two"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "registrations")
			mkdir(t, path)
			if err := os.WriteFile(filepath.Join(path, "one.client.json"), clientDocument("one"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := start(t, path)
			s.expectClients(t, "one")
			tt.change(t, s)
			s.expectClients(t, tt.want...)
		})
	}
}

func TestSourceFollowsOneChangeAfterAnother(t *testing.T) {
	path := t.TempDir()
	s := start(t, path)
	var ids []string
	for i := range 5 {
		ids = append(ids, fmt.Sprint("client-", i))
		s.write(t, ids[i]+".client.json", clientDocument(ids[i]))
		s.expectClients(t, ids...)
	}
}

// Kubernetes mounts a Secret as links into a hidden directory and swaps that directory with one rename.
func TestSourceFollowsAMountedSecret(t *testing.T) {
	path := t.TempDir()
	version := func(number, clientID string) {
		mkdir(t, filepath.Join(path, "..v"+number))
		if err := os.WriteFile(filepath.Join(path, "..v"+number, "app.client.json"), clientDocument(clientID), 0o600); err != nil {
			t.Fatal(err)
		}
		link(t, "..v"+number, filepath.Join(path, "..data_tmp"))
		rename(t, filepath.Join(path, "..data_tmp"), filepath.Join(path, "..data"))
	}
	version("1", "one")
	link(t, filepath.Join("..data", "app.client.json"), filepath.Join(path, "app.client.json"))
	s := start(t, path)
	s.expectClients(t, "one")
	version("2", "two")
	s.expectClients(t, "two")
}

func TestSourceKeepsWhatItReadWhileTheDirectoryIsAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registrations")
	mkdir(t, path)
	if err := os.WriteFile(filepath.Join(path, "one.client.json"), clientDocument("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, path)
	rename(t, path, path+".away")
	eventually(t, "the fault is logged", func() bool { return strings.Contains(s.log.String(), "cannot be read") })
	s.expectClients(t, "one")
	rename(t, path+".away", path)
	s.write(t, "two.client.json", clientDocument("two"))
	s.expectClients(t, "one", "two")
	if n := strings.Count(s.log.String(), "cannot be read"); n != 1 {
		t.Errorf("the fault was logged %d times; want once", n)
	}
}

func TestSourceNamesFilesThatStandForNothing(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "app.clients.json"), clientDocument("app"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, path)
	if !strings.Contains(s.log.String(), "app.clients.json") {
		t.Errorf("log does not name the misnamed file: %s", s.log)
	}
}

func TestRunRefusesADirectoryThatIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing")
	index, err := registry.NewIndex(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	src := dir.New(path, index, slog.New(slog.DiscardHandler))
	if err := src.Run(context.Background()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Run() = %v; want an error that names %s", err, path)
	}
	if src.Synced() {
		t.Error("Synced() = true; want false")
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// One entry that cannot be read must not hold up the others, least of all one that switches a client off.
func TestSourcePassesOverWhatIsNoFile(t *testing.T) {
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "folder.client.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(path, "pipe.client.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "app.client.json"), clientDocument("app"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, path)
	if _, ok := s.Client("app"); !ok {
		t.Error("the client beside them is not registered")
	}
	if !strings.Contains(s.log.String(), "pipe") || !strings.Contains(s.log.String(), "folder") {
		t.Errorf("the log does not name them: %s", s.log)
	}
}
