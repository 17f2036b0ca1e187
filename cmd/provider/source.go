package main

import (
	"context"
	"log/slog"

	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/registry/dir"
)

// source keeps the registrations up to date.
type source interface {
	// Synced tells whether every registration was read once.
	Synced() bool
	// Run reads until ctx ends. ready tells whether logins can be served.
	Run(ctx context.Context, ready func() bool) error
}

// kubeOptions say where registrations are in Kubernetes.
type kubeOptions struct {
	provider   string
	namespace  string
	kubeconfig string
}

func newSource(o *serveOptions, index *registry.Index, logger *slog.Logger) (source, error) {
	return directory{dir.New(o.registrations, index, logger)}, nil
}

// directory is a source that reports to nobody.
type directory struct{ *dir.Source }

// Run implements source.
func (d directory) Run(ctx context.Context, _ func() bool) error { return d.Source.Run(ctx) }
