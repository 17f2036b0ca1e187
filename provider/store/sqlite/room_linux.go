package sqlite

import (
	"syscall"
)

// room returns errNoRoom when the volume of a directory is full. A file system that does not know its size has room.
func room(directory string) error {
	var volume syscall.Statfs_t
	if err := syscall.Statfs(directory, &volume); err != nil || volume.Blocks == 0 {
		return err
	}
	if volume.Bavail*uint64(volume.Bsize) < minRoom { //nolint:gosec // a block has a positive size
		return errNoRoom
	}
	return nil
}
