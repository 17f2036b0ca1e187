// Command demo runs the whole system on this machine, without a cluster: etcd
// and kube-apiserver on loopback, and beside them the operator, the provider
// and a sample application as ordinary processes.
//
//	demo up     start everything, or what of it is not running, and say how to log in
//	demo down   stop exactly what was started
//
// The two programs get what their pods would get: the arguments of their
// Deployments, and a token of their ServiceAccounts, so that their roles are
// proven too. Everything it writes is in .demo; the processes outlive it.
package main
