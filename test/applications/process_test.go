package applications_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/oidc-operator/oidc-operator/test/program"
)

// process is a running program.
type process struct {
	name string
	cmd  *exec.Cmd
	// ended is closed when the program has ended, by itself or not.
	ended  chan struct{}
	output program.Output
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
