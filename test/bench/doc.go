// Command bench measures what docs/benchmarks.md records: each figure as a ratio to something plain that is measured beside
// it in the same run, because machines differ and are rarely idle.
//
//	load.go      a load generator that costs little beside what it measures
//	provider.go  the provider alone: discovery, JWKS and token endpoint, start and memory
//	cluster.go   operator and provider as programs on a real API server: from apply to a token, restart
//	scale.go     the same with thousands of clients: all at once beside a plain writer, one more, memory, work for one event
package main
