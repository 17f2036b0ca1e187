package applications_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// process is a running program.
type process struct {
	name string
	cmd  *exec.Cmd
	// ended is closed when the program has ended, by itself or not.
	ended  chan struct{}
	output output
}

// startProcess starts a program with more environment than the test's own.
func startProcess(environment []string, program string, args ...string) (*process, error) {
	p := &process{name: filepath.Base(program), cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // its output says more than its exit code
	}()
	return p, nil
}

// stop ends the program and returns what it has said.
func (p *process) stop() string {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill() // it did not want to
		<-p.ended
	}
	return fmt.Sprintf("%s said:\n%s", p.name, p.output.String())
}

// runs tells whether the program has not ended.
func (p *process) runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// output keeps what a program has said last, and is read while it speaks.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// maxOutput is how many bytes are kept.
const maxOutput = 64 << 10

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if excess := o.buf.Len() - maxOutput; excess > 0 {
		o.buf.Next(excess)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// freeAddresses returns addresses of the loopback interface on which nobody listens.
func freeAddresses(n int) ([]string, error) {
	free := make([]string, n)
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // when all are known, so that they differ
		free[i] = l.Addr().String()
	}
	return free, nil
}
