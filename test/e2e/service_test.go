//go:build e2e

package e2e_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// callerAddress is that of the pod through which the tests call.
var callerAddress string

// dialFromPod connects as a program in a pod does. The error is what that program would see.
func dialFromPod(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", callerAddress)
	if err != nil {
		return nil, fmt.Errorf("reach the caller: %w", err)
	}
	answer, err := func() (string, error) {
		if _, err := io.WriteString(conn, address+"\n"); err != nil {
			return "", err
		}
		var line strings.Builder
		next := make([]byte, 1)
		for {
			if _, err := io.ReadFull(conn, next); err != nil {
				return "", err
			}
			if next[0] == '\n' {
				return line.String(), nil
			}
			line.Write(next)
		}
	}()
	if err == nil && answer != "" {
		err = errors.New(answer)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// service calls the Service of the story's provider, from a pod.
type service struct {
	*http.Client
	base string
}

// service returns a client that keeps connections, or makes a new one for each call.
func (s *story) service(keep bool) *service {
	s.Helper()
	transport := &http.Transport{
		DialContext: dialFromPod, DisableKeepAlives: !keep,
		// More would idle while a pod goes, and a request that is sent at the moment in which it ends is lost in any case.
		MaxIdleConnsPerHost: 1,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, // the certificate is for the issuer's name, and not what is tested
	}
	s.Cleanup(transport.CloseIdleConnections)
	return &service{
		Client: &http.Client{
			Transport: transport, Timeout: 15 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base: "http://sso." + s.namespace + ".svc.cluster.local",
	}
}

// answer is a response that was read in full.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *service) do(request *http.Request) (answer, error) {
	response, err := s.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: read the answer: %w", request.Method, request.URL.Path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}, nil
}

func (s *service) get(path string) (answer, error) {
	request, err := http.NewRequest(http.MethodGet, s.base+path, nil)
	if err != nil {
		return answer{}, err
	}
	return s.do(request)
}

// expect calls a path and returns what is wrong about the answer.
func (s *service) expect(path string, status int) error {
	got, err := s.get(path)
	if err != nil {
		return err
	}
	if got.status != status {
		return fmt.Errorf("GET %s: status %d, want %d: %.200s", path, got.status, status, got.body)
	}
	return nil
}

const (
	discovery = "/.well-known/openid-configuration"
	jwks      = "/oauth2/jwks"
)

// credentials are what a client logs in with.
type credentials struct{ id, secret string }

func (s *story) credentials(oidcclient string) credentials {
	s.Helper()
	found := &corev1.Secret{}
	s.get(oidcclient+"-oidc", found)
	return credentials{string(found.Data["client_id"]), string(found.Data["client_secret"])}
}

// token asks for a token as a machine does.
func (s *service) token(c credentials) (answer, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	request, err := http.NewRequest(http.MethodPost, s.base+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	return s.do(request)
}

// expectToken returns why a client gets no token.
func (s *service) expectToken(c credentials) error {
	got, err := s.token(c)
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return fmt.Errorf("POST /oauth2/token: status %d: %.200s", got.status, got.body)
	}
	return nil
}

// load is calls at a steady rate, whatever becomes of them.
type load struct {
	cancel   context.CancelFunc
	ended    sync.WaitGroup
	mu       sync.Mutex
	calls    int
	failures []string
}

// startLoad calls each of the functions so many times a second.
func (s *story) startLoad(perSecond int, calls ...func() error) *load {
	s.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel}
	start := time.Now()
	for _, call := range calls {
		l.ended.Go(func() {
			ticker := time.NewTicker(time.Second / time.Duration(perSecond))
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					l.ended.Go(func() {
						begun := time.Since(start)
						l.record(begun, call())
					})
				}
			}
		})
	}
	s.Cleanup(func() { cancel(); l.ended.Wait() })
	return l
}

func (l *load) record(begun time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if err != nil {
		l.failures = append(l.failures, fmt.Sprintf("after %.1f s: %v", begun.Seconds(), err))
	}
}

// count returns how many calls there were.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

// stop ends the load and returns what went wrong.
func (l *load) stop() (failures []string) {
	l.cancel()
	l.ended.Wait()
	return l.failures
}

// expectNoFailure ends the load. No call may have failed.
func (s *story) expectNoFailure(l *load) {
	s.Helper()
	failures := l.stop()
	for _, failure := range failures[:min(len(failures), 5)] {
		s.Errorf("a call failed: %s", failure)
	}
	s.Logf("%d calls, %d failed", l.calls, len(failures))
	if l.calls == 0 {
		s.Error("nothing was called")
	}
}
