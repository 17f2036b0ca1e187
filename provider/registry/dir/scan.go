package dir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// maxFileBytes bounds what is read of one file. Whatever is longer is no document: it is cut off and refused as incomplete.
const maxFileBytes = 1 << 20

// documentOf tells which document a file name stands for: NAME.client.json, NAME.user.json, NAME.signing-key.json or settings.json.
func documentOf(fileName string) (kind registration.Kind, name string, ok bool) {
	if fileName == registration.KindSettings.File() {
		return registration.KindSettings, string(registration.KindSettings), true
	}
	for _, kind := range []registration.Kind{registration.KindClient, registration.KindUser, registration.KindSigningKey} {
		if name, found := strings.CutSuffix(fileName, "."+kind.File()); found && name != "" {
			return kind, name, true
		}
	}
	return "", "", false
}

// scan reads every document of a directory. Hidden files are passed over: editors and Kubernetes keep what is not
// finished in them. Strangers are the other JSON files that stand for no document.
func scan(path string) (docs []registry.Document, strangers []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read registrations directory: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		kind, name, ok := documentOf(e.Name())
		if !ok {
			strangers = append(strangers, e.Name())
			continue
		}
		data, err := read(filepath.Join(path, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went away since the directory was read
		}
		// What cannot be read stands for a document that is not valid: one file must not hold up the others.
		docs = append(docs, registry.Document{Kind: kind, Name: name, Data: data})
	}
	return docs, strangers, nil
}

func read(path string) ([]byte, error) {
	// Opening a pipe would wait for somebody to write to it.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path) //nolint:gosec // the directory is the administrator's choice
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return io.ReadAll(io.LimitReader(f, maxFileBytes))
}
