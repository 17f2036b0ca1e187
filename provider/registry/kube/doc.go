// Package kube is the source of registrations in Kubernetes: it watches the registration Secrets of one provider in
// one namespace, and reports on a Lease up to which resource version they are in force in this replica.
//
// The Secrets themselves are not kept: each goes into the index and is forgotten. The clients are the bare REST clients of client-go with
// the two kinds of object that are needed, because the full clientset alone takes more memory than the rest of a provider.
package kube
