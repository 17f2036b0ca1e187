// Command caller connects to where it is told to: the tests' HTTP clients call through it, and so from a pod, with a pod's view of Services and DNS.
//
// Who connects to it sends an address, such as sso.default.svc:80, and a line break. The answer is a line, which is empty when the
// connection stands and else says why it does not; then everything is passed on in both directions.
package main

import (
	"errors"
	"io"
	"log"
	"net"
	"strings"
	"time"
)

const (
	listen = ":9000"
	// connectTimeout bounds how long a connection may take: a refused one takes no time, one into nowhere takes this long.
	connectTimeout = 5 * time.Second
	maxAddress     = 300
)

func main() {
	listener, err := net.Listen("tcp", listen) //nolint:gosec // a pod is reached at an address that it does not know
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer conn.Close()
			if err := serve(conn); err != nil {
				log.Print(err)
			}
		}()
	}
}

func serve(conn net.Conn) error {
	address, err := readLine(conn)
	if err != nil {
		return err
	}
	if address == "" { // a probe
		return nil
	}
	target, err := net.DialTimeout("tcp", address, connectTimeout)
	if err != nil {
		_, writeErr := io.WriteString(conn, strings.ReplaceAll(err.Error(), "\n", " ")+"\n")
		return writeErr
	}
	defer target.Close()
	if _, err := io.WriteString(conn, "\n"); err != nil {
		return err
	}
	go pass(target, conn)
	pass(conn, target)
	return nil
}

// pass copies until the source ends, and ends the destination with it.
func pass(destination, source net.Conn) {
	_, _ = io.Copy(destination, source) // either end may close at any time
	if tcp, ok := destination.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// readLine reads no further than the line break: what follows is not for the caller.
func readLine(r io.Reader) (string, error) {
	var line []byte
	next := make([]byte, 1)
	for len(line) < maxAddress {
		if _, err := io.ReadFull(r, next); errors.Is(err, io.EOF) {
			return "", nil
		} else if err != nil {
			return "", err
		}
		if next[0] == '\n' {
			return string(line), nil
		}
		line = append(line, next[0])
	}
	return "", errors.New("no address")
}
