package sqlite

import (
	"context"
	"errors"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// UserNumber implements store.Store.
func (s *Store) UserNumber(ctx context.Context, subject string, candidates []int64) (number int64, err error) {
	find := func(c *conn) error {
		return get(c, `SELECT number FROM user_numbers WHERE subject = ?`, func(r *row) { number = r.number() }, subject)
	}
	// Nearly every call is about a subject that has a number, and readers need not wait for one another.
	if err = s.read(ctx, "get user number", find); !errors.Is(err, store.ErrNotFound) {
		return number, err
	}
	err = s.change(ctx, "give user number", func(c *conn) error {
		if err := find(c); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for _, candidate := range candidates {
			changed, err := c.exec(`INSERT INTO user_numbers (subject, number) VALUES (?, ?) ON CONFLICT DO NOTHING`, subject, candidate)
			if err != nil || changed > 0 {
				number = candidate
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
