// Package program holds what tests need that run programs.
package program

import (
	"bytes"
	"net"
	"sync"
)

// Output keeps what a program has said last, and may be read while it speaks. The zero value is ready to be used.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// maxOutput is how many bytes are kept.
const maxOutput = 64 << 10

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if excess := o.buf.Len() - maxOutput; excess > 0 {
		o.buf.Next(excess)
	}
	return len(p), nil
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// FreeAddresses returns n addresses of the loopback interface on which nobody listens.
func FreeAddresses(n int) ([]string, error) {
	free := make([]string, n)
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // when all are known, so that they differ
		free[i] = l.Addr().String()
	}
	return free, nil
}
