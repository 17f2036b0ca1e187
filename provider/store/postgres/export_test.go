package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Setting returns a setting of a connection of s.
func Setting(ctx context.Context, s *Store, name string) (string, error) {
	return get(ctx, s, "get setting", pgx.RowTo[string], "SELECT current_setting($1)", name)
}
