package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// programs are the project's own, built for this run.
type programs struct {
	dir, operator, provider string
}

func buildPrograms(ctx context.Context) (*programs, error) {
	dir, err := os.MkdirTemp("", "oidc-bench-bin-")
	if err != nil {
		return nil, err
	}
	p := &programs{dir: dir, operator: filepath.Join(dir, "operator"), provider: filepath.Join(dir, "provider")}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+"/", "./cmd/operator", "./cmd/provider")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build programs: %w\n%s", err, out)
	}
	return p, nil
}

func (p *programs) remove() { _ = os.RemoveAll(p.dir) } // scratch

func (p *programs) run(ctx context.Context, program string, args ...string) error {
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), args[0], err, out)
	}
	return nil
}

// process is a running program.
type process struct {
	cmd *exec.Cmd
}

func (p *programs) start(program string, args ...string) (*process, error) {
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	return &process{cmd}, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	_ = p.cmd.Wait()                          // its exit code tells nothing here
}

// residentKiB returns the resident set size in KiB.
func (p *process) residentKiB() (int64, error) { return p.memoryKiB("VmRSS:") }

// peakKiB returns the largest resident set size that there has been.
func (p *process) peakKiB() (int64, error) { return p.memoryKiB("VmHWM:") }

func (p *process) memoryKiB(field string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, field); ok {
			return strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		}
	}
	return 0, errors.New("no " + field)
}

// childTimes returns the processor time of this process and of those that it has started, by their names.
func childTimes() map[string]time.Duration {
	times := map[string]time.Duration{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // cannot fail with this pattern
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		name, parent, spent := parseStat(string(text))
		if filepath.Dir(stat) == fmt.Sprintf("/proc/%d", os.Getpid()) || parent == os.Getpid() {
			times[name] += spent
		}
	}
	return times
}

// processorTime returns what the process has taken until now.
func (p *process) processorTime() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, _, spent := parseStat(string(text))
	return spent, err
}

// parseStat reads the line of a process in /proc: its name, its parent's number and its processor time.
func parseStat(line string) (name string, parent int, spent time.Duration) {
	const tick = time.Second / 100 // what Linux counts in
	name, rest, _ := strings.Cut(line, ") ")
	_, name, _ = strings.Cut(name, "(")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return name, 0, 0
	}
	parent, _ = strconv.Atoi(fields[1]) // the kernel writes numbers
	for _, field := range fields[11:13] {
		n, _ := strconv.Atoi(field)
		spent += time.Duration(n) * tick
	}
	return name, parent, spent
}

func freeAddresses() (a, b string, err error) {
	var free [2]string
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer func() { _ = l.Close() }() // only its number was wanted
		free[i] = l.Addr().String()
	}
	return free[0], free[1], nil
}

// awaitAnswer asks url until it answers 200, for at most 30 seconds.
func awaitAnswer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body) // only the status counts
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no answer from %s: %w", url, ctx.Err())
		}
		time.Sleep(time.Millisecond)
	}
}
