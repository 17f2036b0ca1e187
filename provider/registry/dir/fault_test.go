package dir

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// A directory that stays away is looked for every second; that must not fill the log.
func TestAFaultThatStaysIsLoggedOnce(t *testing.T) {
	log := &bytes.Buffer{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	index, err := registry.NewIndex(logger)
	if err != nil {
		t.Fatal(err)
	}
	s := New(t.TempDir(), index, logger)
	fault := errors.New("the directory is away")
	s.logFault(fault)
	s.logFault(fault)
	if n := strings.Count(log.String(), "is away"); n != 1 {
		t.Errorf("the fault was logged %d times; want once", n)
	}
	if err := s.reload(); err != nil {
		t.Fatal(err)
	}
	s.logFault(fault)
	if n := strings.Count(log.String(), "is away"); n != 2 {
		t.Errorf("the fault was logged %d times after it had passed and come back; want twice", n)
	}
}
