package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
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
	path := findChromium()
	if path == "" {
		return 0, fmt.Errorf("there is no Chromium here; `make test` installs it")
	}
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
	ctx, stop, err := startChromium(path)
	if err != nil {
		return 0, err
	}
	defer stop()
	shared = bench{programs: programs, chromium: ctx}
	return m.Run(), nil
}

// findChromium returns the path of a browser, as hack/chromium.sh looks for it, or "".
func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
	if _, err := os.Stat(mac); err == nil {
		return mac
	}
	return ""
}

// startChromium starts a browser with an empty profile, which is removed by stop.
func startChromium(path string) (ctx context.Context, stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		// Browsers speak to nobody but the programs under test.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root may not use it, and the pages are our own
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	stop = func() { closeTab(); stopAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, stop, nil
}
