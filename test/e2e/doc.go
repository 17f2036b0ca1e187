// Package e2e has the stories that need a real node: a kubelet that starts, probes and ends pods, Services, volumes, images that
// are pulled. `make e2e` brings one up and runs them; without the build tag e2e there is nothing in this package to run.
//
// A story does what a user does: it applies manifests with kubectl and calls the provider through its Service, from a pod (package
// caller). Stories run at the same time, each in a namespace of its own; only the operator is shared.
package e2e
