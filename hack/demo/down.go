package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// down stops what the demo has started, the last first, and removes what it has
// written; the logs stay until the next start.
func down(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		fmt.Println("demo: nothing is up")
		return nil
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	d := &demo{dir: dir}
	if d.processes, err = newProcesses(dir); err != nil {
		return err
	}
	if err := d.forget(); err != nil {
		return err
	}
	fmt.Println("demo: stopped")
	return nil
}

// forget stops everything and removes its state.
func (d *demo) forget() error {
	var errs []error
	for _, name := range slices.Backward(slices.Concat(controlPlane, programs)) {
		errs = append(errs, d.processes.stop(name))
	}
	if err := errors.Join(errs...); err != nil {
		return err // without its records a process could never be stopped
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(d.dir, entry.Name())
		if path == d.processes.logs || path == d.processes.dir || path == lockFile(d.dir) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

func lockFile(dir string) string { return filepath.Join(dir, "lock") }

// lock keeps two starts, or a start and a stop, from interfering.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(lockFile(dir), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("another make demo or make demo-down is at work (%s is locked)", relative(file.Name()))
	}
	return func() { file.Close() }, nil
}
