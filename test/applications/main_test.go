package applications_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/oidc-operator/oidc-operator/test/chromium"
)

// bench is what all tests use.
type bench struct {
	// programs is the directory of operator and provider.
	programs string
	// authority has issued the provider's certificate.
	authority authority
	// chromium is the context of the one browser process. Tests make profiles of their own in it.
	chromium context.Context
	cluster  *cluster
}

// shared is set before the first test: a control plane for each test would take minutes.
var shared bench

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "applications:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "oidc-applications-")
	if err != nil {
		return 0, fmt.Errorf("create directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left over is in the system's temporary directory
	shared.programs = dir
	for _, args := range [][]string{
		{"-o", dir + string(filepath.Separator), "./cmd/operator", "./cmd/provider"},
		{"-o", filepath.Join(dir, "kubectl-oidc_login"), "./test/applications/kubelogin"}, // kubectl finds its plugins by their names
	} {
		build := exec.Command("go", append([]string{"build"}, args...)...)
		build.Dir = filepath.Join("..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("build the programs: %w\n%s", err, out)
		}
	}
	if shared.authority, err = newAuthority(dir); err != nil {
		return 0, fmt.Errorf("make a certificate: %w", err)
	}
	pin := sha256.Sum256(shared.authority.publicKey)
	browser, stopBrowser, err := chromium.Start(
		// The browser trusts this one key, and not whatever certificate it is shown.
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(pin[:])))
	if err != nil {
		return 0, err
	}
	defer stopBrowser()
	shared.chromium = browser
	c, err := startCluster(dir)
	if err != nil {
		return 0, err
	}
	defer func() {
		if said := c.stop(); code != 0 {
			fmt.Fprintln(os.Stderr, said)
		}
	}()
	shared.cluster = c
	return m.Run(), nil
}
