-- The clients that have got a code in a session and must be told of its end, as long as the session is there. They were grants
-- with nothing in them before.

-- +goose Up
CREATE TABLE session_clients (
	session_id text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	PRIMARY KEY (session_id, client_id)
);
INSERT INTO session_clients (session_id, client_id)
	SELECT DISTINCT session_id, client_id FROM grants WHERE session_id IN (SELECT id FROM sessions);
DELETE FROM grants WHERE session_id <> '' AND code_handle IS NULL AND refresh_handle IS NULL;

-- What the person had proved who they are with. Of a grant that has outlived its session nobody knows: it is good for nothing
-- more.
ALTER TABLE grants ADD COLUMN credential text NOT NULL DEFAULT '';
UPDATE grants SET credential = s.credential FROM sessions s WHERE s.id = grants.session_id;
