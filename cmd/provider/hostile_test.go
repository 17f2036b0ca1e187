package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// statusLines finds the answers in what a connection has received.
var statusLines = regexp.MustCompile(`HTTP/1\.[01] (\d{3}) `)

// raw sends bytes as they are on a connection of their own and returns the status of every answer until the provider
// closes the connection or says nothing more for a while.
func (s *server) raw(t *testing.T, request string) (statuses []int, closed bool) {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.issuer, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	go func() { _, _ = io.WriteString(connection, request) }() // it may be cut off
	var received bytes.Buffer
	for {
		_ = connection.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
		_, err := io.CopyN(&received, connection, 1)
		if err == nil {
			continue
		}
		closed = !errors.Is(err, os.ErrDeadlineExceeded)
		break
	}
	for _, found := range statusLines.FindAllStringSubmatch(received.String(), -1) {
		status, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, status)
	}
	return statuses, closed
}

// smuggled is a request that hides in the body of another. If it is ever answered, so would be one that an attacker hides
// behind somebody else's request on a connection that a proxy shares among people.
const smuggled = "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: smuggled\r\n\r\n"

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	dir, _ := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir())
	host := strings.TrimPrefix(s.issuer, "http://")
	form := "Content-Type: application/x-www-form-urlencoded\r\n"
	post := "POST /oauth2/token HTTP/1.1\r\nHost: " + host + "\r\n" + form
	get := "GET /oauth2/jwks HTTP/1.1\r\nHost: " + host + "\r\n"
	for name, c := range map[string]struct {
		request string
		// allowed are the statuses that an answer may have; none means that there may be no answer.
		allowed []int
	}{
		"length and chunks":             {post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 401}},
		"chunks and length":             {post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 401}},
		"length that ends too soon":     {post + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 401}},
		"chunked twice":                 {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}},
		"chunked, but not as it should": {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}},
		"chunked, then identity":        {post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}},
		"chunked behind a tab":          {post + "Transfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 401}},
		"chunked before a colon":        {post + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled, []int{400}},
		"a chunk of no number":          {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + smuggled, []int{400}},
		"a chunk that overflows":        {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\na\r\n0\r\n\r\n" + smuggled, []int{400}},
		"a chunk that ends with LF":     {post + "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" + smuggled, []int{400, 401}},
		"two lengths":                   {post + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + smuggled, []int{400}},
		"two lengths in one":            {post + "Content-Length: 0, 44\r\n\r\n" + smuggled, []int{400}},
		"a length with a sign":          {post + "Content-Length: +4\r\n\r\na=bc" + smuggled, []int{400}},
		"a negative length":             {post + "Content-Length: -1\r\n\r\n" + smuggled, []int{400}},
		"a length in hex":               {post + "Content-Length: 0x4\r\n\r\na=bc" + smuggled, []int{400}},
		"a folded header":               {get + "X-A: b\r\n c: d\r\n\r\n", []int{200, 400}},
		"a folded length":               {post + "Content-Length:\r\n 4\r\n\r\na=bc", []int{400, 401}},
		"a header that begins folded":   {"GET /oauth2/jwks HTTP/1.1\r\n Host: a\r\n\r\n", []int{400}},
		"CR in a header":                {get + "X-A: b\rX-C: d\r\n\r\n", []int{400}},
		"NUL in a header":               {get + "X-A: b\x00c\r\n\r\n", []int{400}},
		"NUL in a header's name":        {get + "X\x00A: b\r\n\r\n", []int{400}},
		"a header without a name":       {get + ": b\r\n\r\n", []int{400}},
		"a header without a colon":      {get + "hello\r\n\r\n", []int{400}},
		"no host":                       {"GET /oauth2/jwks HTTP/1.1\r\n\r\n", []int{400}},
		"two hosts":                     {get + "Host: elsewhere\r\n\r\n", []int{400}},
		"a host of nonsense":            {"GET /oauth2/jwks HTTP/1.1\r\nHost: a b\r\n\r\n", []int{400}},
		"a host with a line end":        {"GET /oauth2/jwks HTTP/1.1\r\nHost: a\x0bb\r\n\r\n", []int{400}},
		"an unknown version":            {"GET /oauth2/jwks HTTP/9.9\r\nHost: a\r\n\r\n", []int{400, 505}},
		"HTTP/2 in the clear":           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400, 505}},
		"HTTP/0.9":                      {"GET /oauth2/jwks\r\n\r\n", []int{400}},
		"CONNECT":                       {"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", []int{400, 404, 405}},
		"TRACE":                         {"TRACE / HTTP/1.1\r\nHost: " + host + "\r\nCookie: a=b\r\n\r\n", []int{404, 405}},
		"a method of nonsense":          {"G<T / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", []int{400}},
		"a URL elsewhere":               {"GET http://elsewhere.example/oauth2/authorize HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", []int{400, 404}},
		"the asterisk":                  {"OPTIONS * HTTP/1.1\r\nHost: " + host + "\r\n\r\n", []int{200, 400, 404}},
		"TLS on a plain port":           {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 100) + "\r\n\r\n", []int{400}},
		"many header bytes":             {get + "X-A: " + strings.Repeat("a", 2<<20) + "\r\n\r\n", []int{431}},
		"many headers":                  {get + strings.Repeat("X-A: b\r\n", 200_000) + "\r\n", []int{431}},
		"a long path":                   {"GET /" + strings.Repeat("a", 2<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n", []int{431}},
		"a huge body":                   {post + "Content-Length: 9999999999\r\n\r\n" + strings.Repeat("a=b&", 1<<20), []int{413}},
		"a huge body in chunks":         {post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat("a", 0x10000)+"\r\n", 64), []int{413}},
		"long extensions of chunks":     {post + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 1<<20) + "\r\na\r\n0\r\n\r\n", []int{400, 413}},
		"many tiny chunks":              {post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n", 30_000) + "0\r\n\r\n", []int{400, 413}},
		"a trailer that matters":        {post + "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n0\r\nAuthorization: Basic YXBwOng=\r\nContent-Length: 3\r\n\r\n" + smuggled, []int{400, 401}},
	} {
		t.Run(name, func(t *testing.T) {
			statuses, closed := s.raw(t, c.request)
			if len(statuses) > 1 {
				t.Errorf("one request has the answers %v", statuses)
			}
			for _, status := range statuses {
				if !strings.Contains(fmt.Sprint(c.allowed), strconv.Itoa(status)) {
					t.Errorf("it answers %d", status)
				}
				if status >= 400 && !closed && strings.Contains(c.request, smuggled) {
					t.Error("the connection stays open")
				}
			}
			if len(statuses) == 0 && !closed {
				t.Error("there is no answer, and the connection stays open")
			}
		})
	}
	s.healthy(t)
}

// healthy demands that the provider still serves, and has not taken much memory.
func (s *server) healthy(t *testing.T) {
	t.Helper()
	if status := s.status(s.client, s.issuer+"/.well-known/openid-configuration"); status != http.StatusOK {
		t.Errorf("afterwards discovery answers %d", status)
	}
	if strings.Contains(s.log.String(), "panic") {
		t.Errorf("something has panicked:\n%s", s.log)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skip("the memory of a process is not told here")
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the memory of the provider is not told")
	}
	const limit = 128 << 10
	if peak, err := strconv.Atoi(string(found[1])); err != nil || peak > limit {
		t.Errorf("it took %d KiB of memory, more than %d", peak, limit)
	}
}

// Whoever sends slowly occupies a connection and little else, and not for ever. The others are served meanwhile.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	dir, _ := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir())
	host := strings.TrimPrefix(s.issuer, "http://")
	const slow = 300
	connections := make([]net.Conn, 0, slow)
	for i := range slow {
		connection, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		connections = append(connections, connection)
		begun := "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 30000\r\n"
		if i%2 == 0 {
			begun += "\r\ngrant_type=" // the header is complete, the body is not
		}
		if _, err := io.WriteString(connection, begun); err != nil {
			t.Fatal(err)
		}
	}
	s.loginOnce()
	s.healthy(t)
	begun := time.Now()
	for i, connection := range connections[:2] {
		_ = connection.SetReadDeadline(begun.Add(readTimeout + 30*time.Second))
		if _, err := io.Copy(io.Discard, connection); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("connection %d is open after %s: %v", i, time.Since(begun), err)
		}
	}
}
