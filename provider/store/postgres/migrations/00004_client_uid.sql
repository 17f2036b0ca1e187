-- The UID of the registration for which something is kept, see store.Client. What is here already was kept before registrations had one.
-- Each table is locked for itself: whoever is at work in several of them meanwhile must not wait for one while we wait for another.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE grants ADD COLUMN IF NOT EXISTS client_uid text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN IF NOT EXISTS client_uid text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE session_clients ADD COLUMN IF NOT EXISTS client_uid text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE access_tokens ADD COLUMN IF NOT EXISTS client_uid text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE device_requests ADD COLUMN IF NOT EXISTS client_uid text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE pushed_requests ADD COLUMN IF NOT EXISTS client_uid text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN IF NOT EXISTS client_uid text COLLATE "C" NOT NULL DEFAULT '';
