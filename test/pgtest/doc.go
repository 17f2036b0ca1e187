// Package pgtest gives tests a PostgreSQL of their own, from the programs that are installed: a new cluster in a directory
// that is removed at the end, reachable by a Unix socket in that directory alone (unless a test asks for an address), with a random password. It writes to disk as
// a real one does (fsync), so that what a test measures or breaks is the real thing.
package pgtest
