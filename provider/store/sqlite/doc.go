// Package sqlite keeps a provider's state in one SQLite file, durable at every answer: a change is on disk (WAL with
// synchronous=FULL) before the method that made it returns.
//
// One goroutine writes. Changes that arrive while it waits for the disk go into its next transaction together, so that
// one fsync answers many callers and the rate of durable changes grows with their number. Readers have connections of
// their own and never wait for the writer; they see everything whose writer was answered.
//
// The driver is used below database/sql, whose pooling, locking and conversions cost as much as the statements here.
// Only migrations, which run once, go through it.
package sqlite
