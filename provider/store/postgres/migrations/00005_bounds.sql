-- By what a waiting request is counted and found: whose it is, where it came from, and its size in bytes. Handles begin with the time
-- at which they were made. Each table is locked for itself, as in the migration before.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE pushed_requests ADD COLUMN IF NOT EXISTS network text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE pushed_requests ADD COLUMN IF NOT EXISTS size bigint NOT NULL DEFAULT 512;
UPDATE pushed_requests SET size = 512 + octet_length(parameters) WHERE size = 512;
CREATE INDEX IF NOT EXISTS pushed_requests_by_origin ON pushed_requests (client_id, network, handle, size);
ALTER TABLE device_requests ADD COLUMN IF NOT EXISTS network text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE device_requests ADD COLUMN IF NOT EXISTS size bigint NOT NULL DEFAULT 512;
CREATE INDEX IF NOT EXISTS device_requests_by_origin ON device_requests (client_id, network, handle, size);
