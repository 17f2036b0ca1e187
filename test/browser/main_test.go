package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/oidc-operator/oidc-operator/test/chromium"
)

// bench is what all tests use.
type bench struct {
	// programs is the directory of provider and demo-app.
	programs string
	// chromium is the context of the one browser process. Tests make profiles of their own in it.
	chromium context.Context
}

// shared is set before the first test. Starting a browser and linking two programs for each test would take minutes.
var shared bench

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser tests:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	programs, err := os.MkdirTemp("", "oidc-browser-programs-")
	if err != nil {
		return 0, fmt.Errorf("create directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(programs) }() // what is left over is in the system's temporary directory
	build := exec.Command("go", "build", "-o", programs+string(filepath.Separator), "./cmd/provider", "./hack/demo-app")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	ctx, stop, err := chromium.Start()
	if err != nil {
		return 0, err
	}
	defer stop()
	shared = bench{programs: programs, chromium: ctx}
	return m.Run(), nil
}
