package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// processes starts programs that outlive this one, and stops them again, in
// this run or in a later one. What runs is recorded in files: one per program,
// with the PID and what else tells that process from a later one with its PID.
type processes struct {
	dir     string // of the records
	logs    string
	started []*process // by this run, in order
}

type process struct {
	name   string
	exited chan struct{} // closed when it has
}

// record is the file about a running program.
type record struct {
	PID      int    `json:"pid"`
	Identity string `json:"identity"`
}

func newProcesses(dir string) (*processes, error) {
	p := &processes{dir: filepath.Join(dir, "processes"), logs: filepath.Join(dir, "logs")}
	for _, d := range []string{p.dir, p.logs} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *processes) recordFile(name string) string { return filepath.Join(p.dir, name+".json") }

func (p *processes) logFile(name string) string { return filepath.Join(p.logs, name+".log") }

// launch starts a program in a session of its own, so that neither the end of
// this program nor a Ctrl-C in its terminal ends that one.
func (p *processes) launch(name string, env []string, program string, args ...string) (*process, error) {
	log, err := os.OpenFile(p.logFile(name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	proc := &process{name: name, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its end is the news; the log says why
		close(proc.exited)
	}()
	p.started = append(p.started, proc)

	data, err := json.Marshal(record{PID: cmd.Process.Pid, Identity: identity(cmd.Process.Pid)})
	if err == nil {
		err = os.WriteFile(p.recordFile(name), data, 0o600)
	}
	if err != nil {
		_ = cmd.Process.Kill() // without a record nobody would ever stop it
		return nil, fmt.Errorf("record %s: %w", name, err)
	}
	return proc, nil
}

// running tells the PID of a recorded program that still runs, or 0.
func (p *processes) running(name string) int {
	data, err := os.ReadFile(p.recordFile(name))
	if err != nil {
		return 0
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil || r.PID <= 1 || r.Identity == "" || identity(r.PID) != r.Identity {
		return 0
	}
	return r.PID
}

// stop ends a recorded program: asks, and after ten seconds insists.
func (p *processes) stop(name string) error {
	if pid := p.running(name); pid != 0 {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop %s (process %d): %w", name, pid, err)
		}
		if !p.gone(name, 10*time.Second) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			if !p.gone(name, 5*time.Second) {
				return fmt.Errorf("stop %s: process %d does not end", name, pid)
			}
		}
	}
	if err := os.Remove(p.recordFile(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (p *processes) gone(name string, within time.Duration) bool {
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if p.running(name) == 0 {
			return true
		}
	}
	return false
}

// stopStarted ends what this run started, the last first.
func (p *processes) stopStarted() error {
	var errs []error
	for _, proc := range slices.Backward(p.started) {
		errs = append(errs, p.stop(proc.name))
	}
	return errors.Join(errs...)
}

// waitFor asks until the answer is nil. It gives up when the time is over or a
// program that the answer depends on has ended, naming the log that says why.
func (p *processes) waitFor(ctx context.Context, what string, within time.Duration, on *process, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errTooLong)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-on.exited:
			return fmt.Errorf("%s has ended while waiting for %s; see %s", on.name, what, relative(p.logFile(on.name)))
		case <-ctx.Done():
			if !errors.Is(context.Cause(ctx), errTooLong) {
				return fmt.Errorf("interrupted while waiting for %s", what)
			}
			return fmt.Errorf("gave up after %v waiting for %s (%w); see %s", within, what, err, relative(p.logFile(on.name)))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var errTooLong = errors.New("it took too long")

// identity tells one process from a later one that got the same PID: by when it
// started. It is empty for a process that is not there or has ended.
func identity(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		// The name, in parentheses, may hold anything; behind it come the state
		// and, as the 22nd field of all, the start in ticks since boot (proc(5)).
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
			return ""
		}
		boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
		return strings.TrimSpace(string(boot)) + "/" + fields[19]
	}
	if _, err := os.Stat("/proc/self"); err == nil {
		return ""
	}
	out, err := exec.Command("ps", "-o", "lstart=,stat=", "-p", fmt.Sprint(pid)).Output() // no /proc: macOS, BSD
	line := strings.Fields(string(out))
	if err != nil || len(line) < 2 || strings.HasPrefix(line[len(line)-1], "Z") {
		return ""
	}
	return strings.Join(line[:len(line)-1], " ")
}

// relative shortens a path below the current directory for people to read.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}
