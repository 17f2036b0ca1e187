// Package resources builds the objects that run one OIDCProvider: Deployment, Service, RBAC, storage, network. Every
// function is pure and returns an apply configuration, complete with labels, owner and name.
package resources
