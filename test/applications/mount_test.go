package applications_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// mount is a directory in which the keys of a Secret are files, as a pod has it: the files are links through "..data" to a
// directory that is replaced as a whole.
type mount struct {
	t    *testing.T
	path string
	// turn counts the replacements.
	turn int
}

func newMount(t *testing.T) *mount {
	t.Helper()
	return &mount{t: t, path: t.TempDir()}
}

// update shows what is in the Secret now. Only new keys get a link: none ever goes in these tests.
func (m *mount) update(data map[string][]byte) {
	m.t.Helper()
	m.turn++
	version := fmt.Sprintf("..%d", m.turn)
	m.must(os.Mkdir(filepath.Join(m.path, version), 0o700))
	for key, value := range data {
		m.must(os.WriteFile(filepath.Join(m.path, version, key), value, 0o600))
		if _, err := os.Lstat(filepath.Join(m.path, key)); err != nil {
			m.must(os.Symlink(filepath.Join("..data", key), filepath.Join(m.path, key)))
		}
	}
	m.must(os.Symlink(version, filepath.Join(m.path, "..data_tmp")))
	m.must(os.Rename(filepath.Join(m.path, "..data_tmp"), filepath.Join(m.path, "..data")))
}

func (m *mount) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}
