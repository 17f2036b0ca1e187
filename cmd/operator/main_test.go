package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asOperator makes this test's program the operator.
const asOperator = "OIDC_OPERATOR_TEST_RUNS_OPERATOR"

func TestMain(m *testing.M) {
	if os.Getenv(asOperator) != "" {
		os.Exit(start(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func runOperator(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Env = []string{asOperator + "=1", "HOME=" + t.TempDir()}
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // what it says is what counts
	return out.String(), errs.String()
}

// A log collector reads JSON, and an administrator looks for one cause.
func TestStartErrorsAreOneLineOfJSON(t *testing.T) {
	down := filepath.Join(t.TempDir(), "kubeconfig")
	config := `{"apiVersion": "v1", "kind": "Config", "current-context": "a",
		"clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
		"users": [{"name": "a", "user": {}}], "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]}`
	if err := os.WriteFile(down, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no image":             {nil, "--provider-image is required"},
		"unknown flag":         {[]string{"--provider-image=x", "--bogus"}, "-bogus"},
		"unusable value":       {[]string{"--provider-image=x", "--concurrency=many"}, "many"},
		"argument":             {[]string{"--provider-image=x", "serve"}, `"serve"`},
		"unknown log level":    {[]string{"--provider-image=x", "--log-level=loud"}, "--log-level must be debug, info or error"},
		"no cluster":           {[]string{"--provider-image=x"}, "find the cluster"},
		"no such kubeconfig":   {[]string{"--provider-image=x", "--kubeconfig=/nonexistent/config"}, "/nonexistent/config"},
		"API server is absent": {[]string{"--provider-image=x", "--kubeconfig=" + down}, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := runOperator(t, test.args...)
			if stdout != "" {
				t.Errorf("standard output has %q", stdout)
			}
			var line struct{ Level, Msg, Error string }
			if err := json.Unmarshal([]byte(stderr), &line); err != nil {
				t.Fatalf("standard error is not one line of JSON: %v\n%s", err, stderr)
			}
			if line.Level != "ERROR" || line.Msg == "" || !strings.Contains(line.Error, test.want) {
				t.Errorf("says %+v; want an error with %q", line, test.want)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	if stdout, stderr := runOperator(t, "--help"); !strings.Contains(stdout, "-provider-image") || stderr != "" {
		t.Errorf("--help says %q, and %q on standard error", stdout, stderr)
	}
	if stdout, stderr := runOperator(t, "--version"); stdout != version+"\n" || stderr != "" {
		t.Errorf("--version says %q, and %q on standard error", stdout, stderr)
	}
}
