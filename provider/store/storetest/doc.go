// Package storetest is the conformance suite of store.Store: every engine runs it in its tests. [Run] holds for every
// engine, [RunDurable] for those that outlive their process.
package storetest
