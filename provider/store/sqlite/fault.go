package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// minRoom is how many bytes must be free on the volume. SQLite writes a change to its log first, which reaches a few MiB.
const minRoom = 1 << 20

// errNoRoom: the next change that needs a new page would fail.
var errNoRoom = fmt.Errorf("less than %d bytes are free: %w", minRoom, syscall.ENOSPC)

// Describe says what an error of Open or of a Store's method means for the database file at path.
func Describe(path string, err error) store.Fault {
	var refused *sqlite.Error
	code := 0
	if errors.As(err, &refused) {
		code = refused.Code() & 0xff // the rest says more than anybody can use
	}
	switch {
	case code == sqlite3.SQLITE_FULL, errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return store.Fault{Kind: store.FaultFull, Message: fmt.Sprintf("the volume of the database %s is full; make it larger or free space on it", path)}
	case code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB:
		return store.Fault{Message: fmt.Sprintf("the database %s is damaged; restore it from a backup", path)}
	case code == sqlite3.SQLITE_READONLY, errors.Is(err, syscall.EROFS):
		return store.Fault{Message: fmt.Sprintf("the database %s cannot be written; its volume is read-only", path)}
	case code == sqlite3.SQLITE_CANTOPEN, errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return store.Fault{Message: fmt.Sprintf("the database %s cannot be opened; its directory must exist and belong to the provider's user", path)}
	case code != 0:
		return store.Fault{Message: fmt.Sprintf("the database %s cannot be read or written (SQLite error %d)", path, code)}
	}
	return store.Fault{Message: fmt.Sprintf("the database %s cannot be read or written", path)}
}
