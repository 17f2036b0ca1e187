package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A rolling update under load: the provider gets SIGTERM while requests come without pause over connections that are kept,
// from a load balancer that looks at readiness now and then. Not one request fails, and it ends in good order.
func TestNoRequestFailsAtTheEnd(t *testing.T) {
	t.Parallel()
	dir, secret := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir(), "--shutdown-delay", "10s", "--audit-log", "off")
	var served, closed atomic.Int64
	var failed sync.Map
	unready, stopped := make(chan struct{}), make(chan struct{})
	var workers sync.WaitGroup
	for range 8 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			for n := 0; ; n++ {
				select {
				case <-stopped:
					return
				default:
				}
				last, err := s.anyRequest(client, n, secret)
				if err != nil {
					failed.Store(err.Error(), true)
				}
				if served.Add(1); last {
					closed.Add(1)
				}
			}
		}()
	}
	s.until("busy", func() bool { return served.Load() > 300 })
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(unready)
		for s.status(http.DefaultClient, "http://"+s.admin+"/readyz") == http.StatusOK {
			time.Sleep(50 * time.Millisecond)
		}
	}()
	<-unready
	before := served.Load()
	time.Sleep(300 * time.Millisecond) // until the news has spread
	s.until("closing connections", func() bool { return served.Load() > before && closed.Load() > 0 })
	close(stopped)
	workers.Wait()
	select {
	case <-s.exited:
		t.Error("it has ended while requests were coming")
	default:
	}
	if err := s.stop(); err != nil {
		t.Errorf("the provider ends with %v\n%s", err, s.log)
	}
	failed.Range(func(what, _ any) bool { t.Errorf("of %d requests some fail: %s", served.Load(), what); return true })
}

// anyRequest sends one of several requests. last tells that the provider closes the connection.
func (s *server) anyRequest(client *http.Client, n int, secret string) (last bool, err error) {
	var response *http.Response
	want := http.StatusOK
	switch n % 4 {
	case 0:
		response, err = client.Get(s.issuer + "/.well-known/openid-configuration")
	case 1:
		want = http.StatusSeeOther
		response, err = client.Get(s.issuer + "/oauth2/authorize?client_id=app&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback))
	case 2:
		response, err = client.Get(s.issuer + "/login")
	default:
		want = http.StatusBadRequest // a code that nobody has issued
		form := url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {callback}, "client_id": {"app"}, "client_secret": {secret}}
		response, err = client.Post(s.issuer+"/oauth2/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	}
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, err
	}
	if response.StatusCode != want {
		return false, fmt.Errorf("%s answers %d", response.Request.URL.Path, response.StatusCode)
	}
	return response.Close, nil
}

// A request that is under way when the end comes is answered, on a connection that then ends, while no other is taken.
func TestRequestAtTheEndIsAnswered(t *testing.T) {
	t.Parallel()
	dir, _ := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir())
	host := strings.TrimPrefix(s.issuer, "http://")
	connection, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	const body = "grant_type=authorization_code&client_id=app"
	if _, err := fmt.Fprintf(connection, "POST /oauth2/token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		host, len(body), body[:10]); err != nil {
		t.Fatal(err)
	}
	s.loginOnce() // by then it has been accepted
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.until("taking no connection", func() bool {
		other, err := net.Dial("tcp", host)
		if err == nil {
			other.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(connection, body[10:]); err != nil {
		t.Fatal(err)
	}
	_ = connection.SetReadDeadline(time.Now().Add(time.Minute))
	answer, err := io.ReadAll(connection)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") || !strings.Contains(string(answer), "\r\nConnection: close\r\n") {
		t.Errorf("the answer is %q (%v)", answer, err)
	}
	<-s.exited
	if s.exit != nil {
		t.Errorf("the provider ends with %v\n%s", s.exit, s.log)
	}
}
