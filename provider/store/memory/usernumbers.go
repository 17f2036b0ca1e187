package memory

import (
	"context"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// UserNumber implements store.Store.
func (s *Store) UserNumber(ctx context.Context, subject string, candidates []int64) (number int64, err error) {
	err = s.call(ctx, func() error {
		known := false
		if number, known = s.numbers[subject]; known {
			return nil
		}
		for _, candidate := range candidates {
			if !s.numbered[candidate] {
				number, s.numbers[subject], s.numbered[candidate] = candidate, candidate, true
				return nil
			}
		}
		return store.ErrReplayed
	})
	return number, err
}
