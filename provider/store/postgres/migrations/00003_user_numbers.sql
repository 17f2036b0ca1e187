-- +goose Up
CREATE TABLE user_numbers (
	subject text COLLATE "C" PRIMARY KEY,
	number  bigint NOT NULL UNIQUE
);
