package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const certificates = "etc/ssl/certs/ca-certificates.crt"

// epoch is the time of everything in an image.
func epoch() v1.Time { return v1.Time{Time: time.Unix(0, 0).UTC()} }

// build writes an image of this machine's architecture into the directory of a layout, in the place of what is there.
func build(dir, entrypoint string, files []string) error {
	layer, err := newLayer(files)
	if err != nil {
		return err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: epoch(), CreatedBy: "hack/image"}})
	if err != nil {
		return fmt.Errorf("add files: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", runtime.GOARCH, epoch()
	config.Config = v1.Config{
		Entrypoint: []string{entrypoint},
		User:       "65532:65532", // a number: Kubernetes checks runAsNonRoot against it
		WorkingDir: "/",
		Env:        []string{"PATH=/", "SSL_CERT_FILE=/" + certificates},
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return fmt.Errorf("set configuration: %w", err)
	}
	return write(dir, image)
}

// write replaces a layout.
func write(dir string, image v1.Image) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("write layout: %w", err)
	}
	platform := layout.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
	if err := path.AppendImage(image, platform); err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

// newLayer holds the files at the root, by their own names, and what every program may expect.
func newLayer(files []string) (v1.Layer, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, dir := range []string{"etc/", "etc/ssl/", "etc/ssl/certs/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, ModTime: epoch().Time}); err != nil {
			return nil, err
		}
	}
	// A machine without certificates builds an image without them.
	if err := add(w, "/"+certificates, certificates, 0o644); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: epoch().Time}); err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := add(w, file, filepath.Base(file), 0o755); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buffer.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, fmt.Errorf("compress files: %w", err)
	}
	return layer, nil
}

func add(w *tar.Writer, file, name string, mode int64) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content)), ModTime: epoch().Time}); err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// sortByName puts files into one order, whatever order they were named in.
func sortByName(files []string) {
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
}
