package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// conn is one keep-alive connection to a server. It writes bytes made before and reads no more than it must: net/http's own
// client would cost more than the server it measures.
type conn struct {
	net.Conn
	reader *bufio.Reader
	body   []byte
}

// reply is the part of an answer that flows need. It is good until the next request.
type reply struct {
	status   int
	location string
	cookie   string
	body     []byte
}

func dial(ctx context.Context, address string) (*conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, reader: bufio.NewReaderSize(c, 16<<10)}, nil
}

// do sends a request and reads the answer to its end.
func (c *conn) do(request []byte) (reply, error) {
	if _, err := c.Write(request); err != nil {
		return reply{}, err
	}
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return reply{}, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return reply{}, fmt.Errorf("answer begins with %q", line)
	}
	var r reply
	if r.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return r, err
	}
	length, err := c.readHeader(&r)
	if err != nil {
		return r, err
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	r.body = c.body[:length]
	_, err = io.ReadFull(c.reader, r.body)
	return r, err
}

func (c *conn) readHeader(r *reply) (length int, err error) {
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			return length, nil
		}
		switch name, value, _ := bytes.Cut(line, []byte(": ")); string(name) {
		case "Content-Length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case "Location":
			r.location = string(value)
		case "Set-Cookie":
			cookie, _, _ := bytes.Cut(value, []byte(";"))
			if r.cookie != "" {
				r.cookie += "; "
			}
			r.cookie += string(cookie)
		case "Transfer-Encoding":
			return 0, errors.New("answer is chunked, which this client cannot read")
		}
	}
}

// ask sends a request and refuses any other status than want.
func (c *conn) ask(request []byte, want int) (reply, error) {
	r, err := c.do(request)
	if err == nil && r.status != want {
		err = fmt.Errorf("answers %d, want %d: %s %.300s", r.status, want, r.location, r.body)
	}
	return r, err
}
