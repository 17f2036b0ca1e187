package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/oidc-operator/oidc-operator/test/program"
)

// build builds the project's own programs into dir.
func build(ctx context.Context, root, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", dir+"/", "./cmd/operator", "./cmd/provider")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build programs: %w\n%s", err, out)
	}
	return nil
}

// process is a running program.
type process struct {
	name string
	cmd  *exec.Cmd
	// ended is closed when the program has ended; exit is then how.
	ended chan struct{}
	exit  error
	said  program.Output
}

func startProcess(name, program string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Stderr = &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.exit = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// end sends a signal and waits for the end.
func (p *process) end(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("end %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		_ = p.cmd.Process.Kill() // it did not want to
		<-p.ended
		return fmt.Errorf("%s has not ended %s after %s", p.name, patience, signal)
	}
}

// quit asks the program to end, which it must do without an error.
func (p *process) quit() error {
	if err := p.end(syscall.SIGTERM); err != nil {
		return err
	}
	if p.exit != nil {
		return fmt.Errorf("%s ends with %w", p.name, p.exit)
	}
	return nil
}

func (s *site) program(name string) string { return filepath.Join(s.dir, name) }
