package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func launchSleep(t *testing.T, p *processes) *process {
	t.Helper()
	proc, err := p.launch("sleep", nil, "sleep", "300")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop("sleep"); err != nil {
			t.Error(err)
		}
	})
	return proc
}

func newTestProcesses(t *testing.T) *processes {
	t.Helper()
	p, err := newProcesses(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnotherRunStopsAProcess(t *testing.T) {
	first := newTestProcesses(t)
	proc := launchSleep(t, first)
	later := &processes{dir: first.dir, logs: first.logs}
	if later.running("sleep") == 0 {
		t.Fatal("a later run does not see the process")
	}
	if err := later.stop("sleep"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-proc.exited:
	case <-time.After(30 * time.Second):
		t.Fatal("the process runs on")
	}
	if _, err := os.Stat(later.recordFile("sleep")); !os.IsNotExist(err) {
		t.Errorf("the record is left: %v", err)
	}
}

func TestAnotherProcessWithThePIDIsLeftAlone(t *testing.T) {
	p := newTestProcesses(t)
	bystander := exec.Command("sleep", "300")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	time.Sleep(50 * time.Millisecond) // start times are told apart by clock ticks of 10 ms
	own := launchSleep(t, p)

	// the record of the demo's own process, with the bystander's PID
	data, err := os.ReadFile(p.recordFile("sleep"))
	if err != nil {
		t.Fatal(err)
	}
	ownPID := p.running("sleep")
	forged := strings.Replace(string(data), strconv.Itoa(ownPID), strconv.Itoa(bystander.Process.Pid), 1)
	if forged == string(data) {
		t.Fatal("the record does not hold the PID")
	}
	if err := os.WriteFile(p.recordFile("sleep"), []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.stop("sleep"); err != nil {
		t.Fatal(err)
	}
	if err := bystander.Process.Signal(syscall.Signal(0)); err != nil || identity(bystander.Process.Pid) == "" {
		t.Errorf("a process that is not the demo's was ended: %v", err)
	}
	_ = syscall.Kill(ownPID, syscall.SIGKILL)
	<-own.exited
}

func TestWaitForEndsWithTheProgram(t *testing.T) {
	p := newTestProcesses(t)
	proc, err := p.launch("sh", nil, "sh", "-c", "echo no database >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	err = p.waitFor(context.Background(), "an answer", time.Hour, proc, func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "sh has ended") || !strings.Contains(err.Error(), "sh.log") {
		t.Errorf("error is %v, want one that names the program and its log", err)
	}
	if log, err := os.ReadFile(p.logFile("sh")); err != nil || !strings.Contains(string(log), "no database") {
		t.Errorf("the log holds %q, %v", log, err)
	}
}
