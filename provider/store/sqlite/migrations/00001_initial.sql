-- Handles are SHA-256 digests. Times are microseconds since 1970 in UTC. Lists are separated by one space.

-- +goose Up
CREATE TABLE sessions (
	handle       BLOB PRIMARY KEY,
	id           TEXT NOT NULL,
	subject      TEXT NOT NULL,
	auth_time    INTEGER NOT NULL,
	auth_methods TEXT NOT NULL,
	credential   TEXT NOT NULL,
	last_seen_at INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_last_seen ON sessions (last_seen_at);

CREATE TABLE consents (
	subject    TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	granted_at INTEGER NOT NULL,
	PRIMARY KEY (subject, client_id)
) STRICT, WITHOUT ROWID;

-- A code may be purged after purge_at: when it expires, or, once it is redeemed, when a replay need not be recognized any more.
CREATE TABLE codes (
	handle         BLOB PRIMARY KEY,
	redeemed       INTEGER NOT NULL,
	purge_at       INTEGER NOT NULL,
	grant_id       TEXT NOT NULL,
	client_id      TEXT NOT NULL,
	subject        TEXT NOT NULL,
	session_id     TEXT NOT NULL,
	redirect_uri   TEXT NOT NULL,
	scopes         TEXT NOT NULL,
	nonce          TEXT NOT NULL,
	code_challenge TEXT NOT NULL,
	auth_time      INTEGER NOT NULL,
	auth_methods   TEXT NOT NULL,
	expires_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_by_purge ON codes (purge_at);

CREATE TABLE access_tokens (
	handle     BLOB PRIMARY KEY,
	grant_id   TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	subject    TEXT NOT NULL,
	session_id TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	issued_at  INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

-- Written to find out whether writing works.
CREATE TABLE pings (
	id    INTEGER PRIMARY KEY CHECK (id = 1),
	count INTEGER NOT NULL
) STRICT;
INSERT INTO pings (id, count) VALUES (1, 0);
