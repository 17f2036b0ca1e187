// Package postgres keeps a provider's state in PostgreSQL 15 or later, so that any number of provider replicas are one
// provider.
//
// Each call is one statement where that is possible: what must happen together is put into one by common table expressions, which
// saves round trips and needs no transaction around it. Races are decided by the condition of an UPDATE, a DELETE or a unique
// index under READ COMMITTED, which is what the connections ask for whatever the database's default is. A serialization failure
// or a deadlock is tried again here; callers never see one. Statements of callers who come at the same time travel together and
// share a transaction, and with it the wait for the disk.
//
// A statement that has begun runs to its end although its caller has gone, because cancelling it would cost the connection and
// leave open whether the change was made; timeouts bound it. When the connection is lost in between, the outcome is unknown
// here too, and the caller is told that storage is unavailable: the change is there in full or not at all.
//
// Other databases that speak the protocol are not tested. What they would need: CockroachDB and YugabyteDB know every statement here,
// but they lock migrations in their own way, so the schema should be brought up to date by one program before the others start.
// A pooler that gives each transaction another connection (PgBouncer in transaction mode) breaks the migration lock as well, and
// needs default_query_exec_mode=exec in the connection string.
package postgres
