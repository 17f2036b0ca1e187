package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/oidc-operator/oidc-operator/provider/registry"
	"github.com/oidc-operator/oidc-operator/provider/registry/dir"
	"github.com/oidc-operator/oidc-operator/provider/registry/kube"
)

// source keeps the registrations up to date.
type source interface {
	// Synced tells whether every registration was read once.
	Synced() bool
	// Run reads until ctx ends. ready tells whether requests can be served.
	Run(ctx context.Context, ready func() bool) error
	// Report tells others at once what this replica has to tell, if there are any.
	Report()
	// OthersWork tells whether the storage of another replica works.
	OthersWork(ctx context.Context) (bool, error)
}

// kubeOptions say where registrations are in Kubernetes.
type kubeOptions struct {
	provider   string
	namespace  string
	kubeconfig string
}

func newSource(o *serveOptions, index *registry.Index, storage func() string, logger *slog.Logger) (source, error) {
	if o.registrations != "" {
		return directory{dir.New(o.registrations, index, logger)}, nil
	}
	config, err := kube.LoadConfig(o.kube.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = "oidc-provider/" + version
	return kube.New(kube.Options{
		Config:    config,
		Namespace: o.kube.namespace,
		Provider:  o.kube.provider,
		Replica:   o.replica,
		PodName:   os.Getenv("POD_NAME"),
		PodUID:    os.Getenv("POD_UID"),
		Index:     index,
		Storage:   storage,
		Logger:    logger,
	})
}

// directory is a source that reports to nobody.
type directory struct{ *dir.Source }

// Report implements source.
func (directory) Report() {}

// OthersWork implements source. Replicas that read a directory do not know of each other.
func (directory) OthersWork(context.Context) (bool, error) { return false, nil }

// Run implements source.
func (d directory) Run(ctx context.Context, _ func() bool) error { return d.Source.Run(ctx) }
