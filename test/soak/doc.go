// Command soak puts a load of logins, code flows, refreshes and client credentials on two providers that share a PostgreSQL database,
// and meanwhile rotates signing keys and client secrets, restarts and kills the operator, and restarts the providers one by one.
// It fails when a single call does.
//
// main.go is the command, site.go what it starts, disturb.go what happens to that, load.go who works with it meanwhile, as
// applications (party.go) and people (browser.go) do, service.go how their connections find a provider, and ledger.go what came of it all.
package main
