//go:build !linux

package sqlite

// room knows nothing here: a full volume is noticed when a change fails.
func room(string) error { return nil }
