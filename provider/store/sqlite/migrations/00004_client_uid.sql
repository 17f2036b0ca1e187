-- The UID of the registration for which something is kept, see store.Client. What is here already was kept before registrations had one.

-- +goose Up
ALTER TABLE grants ADD COLUMN client_uid TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN client_uid TEXT NOT NULL DEFAULT '';
ALTER TABLE session_clients ADD COLUMN client_uid TEXT NOT NULL DEFAULT '';
ALTER TABLE access_tokens ADD COLUMN client_uid TEXT NOT NULL DEFAULT '';
ALTER TABLE device_requests ADD COLUMN client_uid TEXT NOT NULL DEFAULT '';
ALTER TABLE pushed_requests ADD COLUMN client_uid TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN client_uid TEXT NOT NULL DEFAULT '';
