// Package memory keeps everything in the memory of one process. It is for tests: what it holds is gone with the process,
// so a login that another replica or the next start must finish would fail.
package memory
