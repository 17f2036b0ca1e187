package main

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// loginOnce logs ada in with a browser of her own.
func (s *server) loginOnce() {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.authorize(&http.Client{Jar: jar})
}

func TestAuditLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	for target, written := range map[string]func(s *server) string{
		"":       func(s *server) string { return s.audit.String() },
		"stdout": func(s *server) string { return s.audit.String() },
		"stderr": func(s *server) string { return s.log.String() },
		"off":    nil,
		file: func(*server) string {
			text, _ := os.ReadFile(file)
			return string(text)
		},
	} {
		t.Run(target, func(t *testing.T) {
			dir, _ := registrations(t)
			args := []string{"--data-dir", t.TempDir()}
			if target != "" {
				args = append(args, "--audit-log", target)
			}
			s := start(t, "http", freeAddress(t), dir, args...)
			s.loginOnce()
			const event = `"event":"login.succeeded"`
			if written == nil {
				if strings.Contains(s.audit.String()+s.log.String(), event) {
					t.Error("it is written")
				}
				return
			}
			s.until("written", func() bool { return strings.Contains(written(s), event) })
			if target != "stderr" && strings.Contains(s.log.String(), event) {
				t.Error("it is in the log of operation, too")
			}
			for line := range strings.Lines(written(s)) {
				if err := json.Unmarshal([]byte(line), &map[string]any{}); err != nil {
					t.Errorf("%v in %s", err, line)
				}
			}
		})
	}
}

// logrotate moves the file away and sends SIGHUP. No record is lost, and strangers cannot read either file.
func TestAuditLogIsRotated(t *testing.T) {
	dir, _ := registrations(t)
	file := filepath.Join(t.TempDir(), "audit.log")
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir(), "--audit-log", file)
	s.loginOnce()
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.until("opened anew", func() bool { _, err := os.Stat(file); return err == nil })
	s.loginOnce()
	for _, name := range []string{file, file + ".1"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "login.succeeded") != 1 {
			t.Errorf("%s holds %s", name, text)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", name, info.Mode(), err)
		}
	}
	if err := s.stop(); err != nil {
		t.Errorf("the provider ends with %v\n%s", err, s.log)
	}
}

// Behind a proxy on this machine the audit log has the address that the proxy tells, unless it is told not to.
func TestTrustedProxies(t *testing.T) {
	for proxies, want := range map[string]string{"": "203.0.113.7", "none": "127.0.0.1", "10.0.0.0/8": "127.0.0.1", "127.0.0.1": "203.0.113.7"} {
		t.Run(proxies, func(t *testing.T) {
			dir, _ := registrations(t)
			args := []string{"--data-dir", t.TempDir()}
			if proxies != "" {
				args = append(args, "--trusted-proxies", proxies)
			}
			s := start(t, "http", freeAddress(t), dir, args...)
			form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"app"}, "client_secret": {"wrong"}}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.issuer+"/oauth2/token", strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.7")
			response, err := s.client.Do(request)
			if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusUnauthorized {
				t.Fatalf("%v %v", response, err)
			}
			s.until("written", func() bool { return strings.Contains(s.audit.String(), `"address":"`+want+`"`) })
		})
	}
}
