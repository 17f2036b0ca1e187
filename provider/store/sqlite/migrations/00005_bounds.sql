-- By what a waiting request is counted and found: whose it is, where it came from, and its size in bytes. Handles begin with the time
-- at which they were made. The requests that wait are dropped, so that a volume which they have filled has room for the migration.

-- +goose Up
DELETE FROM pushed_requests;
ALTER TABLE pushed_requests ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE pushed_requests ADD COLUMN size INTEGER NOT NULL DEFAULT 512;
CREATE INDEX pushed_requests_by_origin ON pushed_requests (client_id, network, handle, size);
ALTER TABLE device_requests ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE device_requests ADD COLUMN size INTEGER NOT NULL DEFAULT 512;
CREATE INDEX device_requests_by_origin ON device_requests (client_id, network, handle, size);
