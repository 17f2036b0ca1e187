package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// programs returns the directory of PostgreSQL's programs: that in PATH, else the newest where packages put it, which hack/postgres.sh
// looks for as well.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	newest, dir := 0, ""
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", fmt.Errorf("look for PostgreSQL: %w", err)
		}
		for _, path := range found {
			if v := version(path); v > newest {
				newest, dir = v, filepath.Dir(path)
			}
		}
	}
	if dir == "" {
		return "", errors.New("PostgreSQL is not installed: install Debian's package postgresql, or run `make test`, which does")
	}
	return dir, nil
}

// version returns the number in the name of the directory in which a program was installed.
func version(path string) int {
	name := filepath.Base(filepath.Dir(filepath.Dir(path)))
	for i := range name {
		if v, err := strconv.Atoi(name[i:]); err == nil && v > 0 {
			return v
		}
	}
	return 0
}

// serverAccount returns whose rights the server has. PostgreSQL refuses those of root, so root hands it to an account that
// every system has.
func serverAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("read account %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as")
}
