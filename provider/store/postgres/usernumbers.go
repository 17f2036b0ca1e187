package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

const (
	userNumber = `SELECT number FROM user_numbers WHERE subject = $1`
	// giveUserNumber does nothing when the subject has a number meanwhile, or another subject has this one. It waits for those
	// who are just about to write either.
	giveUserNumber = `INSERT INTO user_numbers (subject, number) VALUES ($1, $2) ON CONFLICT DO NOTHING`
)

// UserNumber implements store.Store.
func (s *Store) UserNumber(ctx context.Context, subject string, candidates []int64) (number int64, err error) {
	err = s.call(ctx, "get user number", func(ctx context.Context, c *pgxpool.Conn) error {
		find := func() error {
			err := c.QueryRow(ctx, userNumber, subject).Scan(&number)
			if errors.Is(err, pgx.ErrNoRows) {
				return store.ErrNotFound
			}
			return err
		}
		if err := find(); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for _, candidate := range candidates {
			tag, err := c.Exec(ctx, giveUserNumber, subject, candidate)
			switch {
			case err != nil:
				return err
			case tag.RowsAffected() > 0:
				number = candidate
				return nil
			}
			if err := find(); !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return store.ErrReplayed
	})
	if err != nil {
		return 0, err
	}
	return number, nil
}
