// Package dir is the source of registrations for a provider without Kubernetes: a directory of files, read again
// whenever it changes. It also understands a directory that Kubernetes mounts from a Secret or ConfigMap.
package dir
