// Package store defines what a provider must remember and the interface behind which it is remembered. The engines are
// sub-packages; each passes the conformance suite in storetest.
package store
