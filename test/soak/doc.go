// Command soak puts a load of logins, code flows, refreshes and client credentials on two providers that share a PostgreSQL database,
// and meanwhile rotates signing keys and client secrets, and restarts and kills the operator and, one by one, the providers. It fails when a
// single call does, or when something is lost that a provider has answered before it was killed.
//
// main.go is the command, site.go what it starts, disturb.go what happens to that, kill.go the worst of it, load.go who works with it meanwhile, as
// applications (party.go) and people (browser.go) do, service.go how their connections find a provider, and ledger.go what came of it all.
package main
