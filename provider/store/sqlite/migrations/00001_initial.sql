-- Handles are those of package store. Times are microseconds since 1970 in UTC; one that may be missing is NULL then. Lists
-- are separated by one space. Every table that grows has an index by which what has expired is found.

-- +goose Up
CREATE TABLE sessions (
	handle       BLOB PRIMARY KEY,
	id           TEXT NOT NULL,
	subject      TEXT NOT NULL,
	auth_time    INTEGER NOT NULL,
	auth_methods TEXT NOT NULL,
	credential   TEXT NOT NULL,
	user_agent   TEXT NOT NULL,
	address      TEXT NOT NULL,
	last_seen_at INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_last_seen ON sessions (last_seen_at);

CREATE TABLE consents (
	subject    TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	granted_at INTEGER NOT NULL,
	PRIMARY KEY (subject, client_id)
) STRICT, WITHOUT ROWID;

-- A grant with its authorization code and its family of refresh tokens: one row, so that redeeming and rotating change one
-- row. code_handle is NULL when there was no code, refresh_handle while there is no refresh token.
CREATE TABLE grants (
	id                 TEXT PRIMARY KEY,
	client_id          TEXT NOT NULL,
	subject            TEXT NOT NULL,
	session_id         TEXT NOT NULL,
	scopes             TEXT NOT NULL,
	resources          TEXT NOT NULL,
	claims             TEXT NOT NULL,
	auth_time          INTEGER NOT NULL,
	auth_methods       TEXT NOT NULL,
	created_at         INTEGER NOT NULL,
	expires_at         INTEGER NOT NULL,
	code_handle        BLOB,
	code_redirect_uri  TEXT NOT NULL,
	code_nonce         TEXT NOT NULL,
	code_challenge     TEXT NOT NULL,
	code_thumbprint    TEXT NOT NULL,
	code_expires_at    INTEGER,
	code_redeemed      INTEGER NOT NULL,
	refresh_handle     BLOB,
	refresh_previous   BLOB,
	refresh_key        BLOB,
	refresh_thumbprint TEXT NOT NULL,
	refresh_rotated_at INTEGER,
	refresh_idle_until INTEGER,
	refresh_expires_at INTEGER
) STRICT;
CREATE INDEX grants_by_subject ON grants (subject, client_id);
CREATE INDEX grants_by_expiry ON grants (expires_at);

-- grant_id is empty when the client acts for itself. A token whose grant is gone counts for nothing.
CREATE TABLE access_tokens (
	handle     BLOB PRIMARY KEY,
	grant_id   TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	resources  TEXT NOT NULL,
	thumbprint TEXT NOT NULL,
	issued_at  INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

CREATE TABLE device_requests (
	handle        BLOB PRIMARY KEY,
	user_code     TEXT NOT NULL,
	client_id     TEXT NOT NULL,
	scopes        TEXT NOT NULL,
	resources     TEXT NOT NULL,
	poll_interval INTEGER NOT NULL,
	polled_at     INTEGER,
	denied        INTEGER NOT NULL,
	grant_id      TEXT NOT NULL,
	expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_requests_by_user_code ON device_requests (user_code);
CREATE INDEX device_requests_by_expiry ON device_requests (expires_at);

CREATE TABLE pushed_requests (
	handle     BLOB PRIMARY KEY,
	client_id  TEXT NOT NULL,
	parameters TEXT NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);

-- Values that may be used once.
CREATE TABLE used_values (
	handle     BLOB PRIMARY KEY,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_values_by_expiry ON used_values (expires_at);

CREATE TABLE failures (
	handle     BLOB PRIMARY KEY,
	count      INTEGER NOT NULL,
	last_at    INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX failures_by_expiry ON failures (expires_at);

CREATE TABLE passwords (
	subject    TEXT PRIMARY KEY,
	hash       TEXT NOT NULL,
	replaces   TEXT NOT NULL,
	changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notices (
	id         TEXT PRIMARY KEY,
	client_id  TEXT NOT NULL,
	subject    TEXT NOT NULL,
	session_id TEXT NOT NULL,
	attempts   INTEGER NOT NULL,
	next_at    INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_by_next ON notices (next_at);
CREATE INDEX notices_by_expiry ON notices (expires_at);

-- Written to find out whether writing works.
CREATE TABLE pings (
	id    INTEGER PRIMARY KEY CHECK (id = 1),
	count INTEGER NOT NULL
) STRICT;
INSERT INTO pings (id, count) VALUES (1, 0);
