//go:build !linux

package sqlite

import "errors"

// volumeOf knows nothing of volumes here: Options.MaxBytes alone limits the database.
func volumeOf(string) (total, free int64, known bool) { return 0, 0, false }

func allocate(string, int64) error { return errors.ErrUnsupported }
