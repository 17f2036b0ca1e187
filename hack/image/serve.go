package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// serve runs a registry in memory, and prints "serving" and its address when it has everything. Each image is known by its repository and tag; the host of the reference is for the container
// runtime, which is told to ask this registry for it.
func serve(address string, images []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           registry.New(registry.Logger(log.New(io.Discard, "", 0))),
		ReadHeaderTimeout: time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	for _, image := range images {
		if err := push(ctx, listener.Addr().String(), image); err != nil {
			return errors.Join(err, server.Close())
		}
	}
	fmt.Println("serving", listener.Addr())
	select {
	case <-ctx.Done():
		return server.Close()
	case err := <-ended:
		return err
	}
}

// push stores what is given as REFERENCE=LAYOUT.
func push(ctx context.Context, address, image string) error {
	reference, dir, ok := strings.Cut(image, "=")
	if !ok {
		return fmt.Errorf("%q is not REFERENCE=LAYOUT", image)
	}
	parsed, err := name.NewTag(reference, name.StrictValidation)
	if err != nil {
		return err
	}
	target, err := name.NewTag(address+"/"+parsed.RepositoryStr()+":"+parsed.TagStr(), name.Insecure)
	if err != nil {
		return err
	}
	content, err := only(dir)
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	if err := remote.Write(target, content, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("store %s: %w", reference, err)
	}
	return nil
}

// only returns the one image of a layout.
func only(dir string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%d images, want one", len(manifest.Manifests))
	}
	return index.Image(manifest.Manifests[0].Digest)
}
