-- Handles are those of package store. Times are microseconds since 1970 in UTC; one that may be missing is NULL then. Lists
-- are separated by one space. Every table that grows has an index by which what has expired is found. Names are compared byte
-- by byte, so that no upgrade of the operating system's sorting rules breaks an index. Text that strangers choose is bytea:
-- it need not be what the database takes for text.

-- +goose Up
CREATE TABLE sessions (
	handle       bytea PRIMARY KEY,
	id           text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	auth_time    bigint NOT NULL,
	auth_methods text NOT NULL,
	credential   text NOT NULL,
	user_agent   bytea NOT NULL,
	address      text NOT NULL,
	last_seen_at bigint NOT NULL,
	expires_at   bigint NOT NULL
);
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_last_seen ON sessions (last_seen_at);

CREATE TABLE consents (
	subject    text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	scopes     text NOT NULL,
	granted_at bigint NOT NULL,
	PRIMARY KEY (subject, client_id)
);

-- A grant with its authorization code and its family of refresh tokens: one row, so that redeeming and rotating change one
-- row. code_handle is NULL when there was no code, refresh_handle while there is no refresh token.
CREATE TABLE grants (
	id                 text COLLATE "C" PRIMARY KEY,
	client_id          text COLLATE "C" NOT NULL,
	subject            text COLLATE "C" NOT NULL,
	session_id         text COLLATE "C" NOT NULL,
	scopes             text NOT NULL,
	resources          bytea NOT NULL,
	claims             bytea NOT NULL,
	auth_time          bigint NOT NULL,
	auth_methods       text NOT NULL,
	created_at         bigint NOT NULL,
	expires_at         bigint NOT NULL,
	code_handle        bytea,
	code_redirect_uri  bytea NOT NULL,
	code_nonce         bytea NOT NULL,
	code_challenge     bytea NOT NULL,
	code_thumbprint    bytea NOT NULL,
	code_expires_at    bigint,
	code_redeemed      boolean NOT NULL,
	refresh_handle     bytea,
	refresh_previous   bytea,
	refresh_key        bytea,
	refresh_thumbprint text NOT NULL,
	refresh_rotated_at bigint,
	refresh_idle_until bigint,
	refresh_expires_at bigint
);
CREATE INDEX grants_by_subject ON grants (subject, client_id);
CREATE INDEX grants_by_expiry ON grants (expires_at);

-- grant_id is empty when the client acts for itself. A token whose grant is gone counts for nothing.
CREATE TABLE access_tokens (
	handle     bytea PRIMARY KEY,
	grant_id   text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	scopes     text NOT NULL,
	resources  bytea NOT NULL,
	thumbprint text NOT NULL,
	issued_at  bigint NOT NULL,
	expires_at bigint NOT NULL
);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

CREATE TABLE device_requests (
	handle        bytea PRIMARY KEY,
	user_code     text COLLATE "C" NOT NULL,
	client_id     text COLLATE "C" NOT NULL,
	scopes        text NOT NULL,
	resources     bytea NOT NULL,
	poll_interval bigint NOT NULL,
	polled_at     bigint,
	denied        boolean NOT NULL,
	grant_id      text COLLATE "C" NOT NULL,
	expires_at    bigint NOT NULL
);
CREATE UNIQUE INDEX device_requests_by_user_code ON device_requests (user_code);
CREATE INDEX device_requests_by_expiry ON device_requests (expires_at);

CREATE TABLE pushed_requests (
	handle     bytea PRIMARY KEY,
	client_id  text COLLATE "C" NOT NULL,
	parameters bytea NOT NULL,
	expires_at bigint NOT NULL
);
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);

-- Values that may be used once.
CREATE TABLE used_values (
	handle     bytea PRIMARY KEY,
	expires_at bigint NOT NULL
);
CREATE INDEX used_values_by_expiry ON used_values (expires_at);

CREATE TABLE failures (
	handle     bytea PRIMARY KEY,
	count      integer NOT NULL,
	last_at    bigint NOT NULL,
	expires_at bigint NOT NULL
);
CREATE INDEX failures_by_expiry ON failures (expires_at);

CREATE TABLE passwords (
	subject    text COLLATE "C" PRIMARY KEY,
	hash       text NOT NULL,
	replaces   text NOT NULL,
	changed_at bigint NOT NULL
);

CREATE TABLE notices (
	id         text COLLATE "C" PRIMARY KEY,
	client_id  text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	session_id text COLLATE "C" NOT NULL,
	attempts   integer NOT NULL,
	next_at    bigint NOT NULL,
	expires_at bigint NOT NULL
);
CREATE INDEX notices_by_next ON notices (next_at);
CREATE INDEX notices_by_expiry ON notices (expires_at);

-- Written to find out whether writing works.
CREATE TABLE pings (
	id    integer PRIMARY KEY CHECK (id = 1),
	count bigint NOT NULL
);
INSERT INTO pings (id, count) VALUES (1, 0);
