package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// WaitingShares implements store.Store.
func (s *Store) WaitingShares(ctx context.Context) (shares []store.WaitingShare, room int64, err error) {
	sums := map[store.WaitingShare]int64{} // by client ID and network alone
	err = s.call(ctx, func() error {
		for _, r := range s.pushed {
			sums[store.WaitingShare{ClientID: r.Client.ID, Network: r.Network}] += r.Size()
		}
		for _, r := range s.devices {
			sums[store.WaitingShare{ClientID: r.Client.ID, Network: r.Network}] += r.Size()
		}
		return nil
	})
	for share, size := range sums {
		share.Bytes = size
		shares = append(shares, share)
	}
	return shares, 0, err
}

// DropWaiting implements store.Store.
func (s *Store) DropWaiting(ctx context.Context, clientID, network string, size int64, limit int) (dropped int64, err error) {
	err = s.call(ctx, func() error {
		sizes := map[store.Handle]int64{}
		for h, r := range s.pushed {
			if r.Client.ID == clientID && r.Network == network {
				sizes[h] = r.Size()
			}
		}
		for h, r := range s.devices {
			if r.Client.ID == clientID && r.Network == network {
				sizes[h] = r.Size()
			}
		}
		oldest := slices.SortedFunc(maps.Keys(sizes), func(a, b store.Handle) int { return bytes.Compare(a[:], b[:]) })
		for _, h := range oldest[:min(len(oldest), limit)] {
			if dropped >= size {
				break
			}
			delete(s.pushed, h)
			delete(s.devices, h)
			dropped += sizes[h]
		}
		return nil
	})
	return dropped, err
}

// TrimGrantsOf implements store.Store.
func (s *Store) TrimGrantsOf(ctx context.Context, subject string, codes, families, limit int) (deleted int, err error) {
	err = s.call(ctx, func() error {
		var code, family []string
		for id, g := range s.grants {
			switch {
			case g.Subject != subject:
			case g.Refresh.Handle == store.Handle{}:
				code = append(code, id)
			default:
				family = append(family, id)
			}
		}
		deleted = trim(s.grants, code, codes, limit, strings.Compare) + trim(s.grants, family, families, limit, strings.Compare)
		return nil
	})
	return deleted, err
}

// trim deletes the lowest of keys beyond keep, at most limit.
func trim[K comparable, V any](m map[K]V, keys []K, keep, limit int, compare func(a, b K) int) (deleted int) {
	slices.SortFunc(keys, compare)
	for _, key := range keys[:max(0, min(len(keys)-keep, limit))] {
		delete(m, key)
		deleted++
	}
	return deleted
}

// TrimAccessTokens implements store.Store.
func (s *Store) TrimAccessTokens(ctx context.Context, clientID string, before time.Time, limit int) (deleted int, err error) {
	end := store.FirstHandle(before)
	err = s.call(ctx, func() error {
		var old []store.Handle
		for h, t := range s.tokens {
			if t.Client.ID == clientID && t.GrantID == "" && bytes.Compare(h[:], end[:]) < 0 {
				old = append(old, h)
			}
		}
		deleted = trim(s.tokens, old, 0, limit, func(a, b store.Handle) int { return bytes.Compare(a[:], b[:]) })
		return nil
	})
	return deleted, err
}

// TrimFailures implements store.Store.
func (s *Store) TrimFailures(ctx context.Context, keep, limit int) (deleted int, err error) {
	err = s.call(ctx, func() error {
		deleted = trim(s.failures, slices.Collect(maps.Keys(s.failures)), keep, limit, func(a, b store.Handle) int {
			return s.failures[a].ExpiresAt.Compare(s.failures[b].ExpiresAt)
		})
		return nil
	})
	return deleted, err
}

// TrimNotices implements store.Store.
func (s *Store) TrimNotices(ctx context.Context, keep, limit int) (deleted int, err error) {
	err = s.call(ctx, func() error {
		byClient := map[string][]string{}
		most := ""
		for id, n := range s.notices {
			byClient[n.Client.ID] = append(byClient[n.Client.ID], id)
		}
		for clientID, ids := range byClient {
			if cmp.Or(cmp.Compare(len(ids), len(byClient[most])), strings.Compare(most, clientID)) > 0 {
				most = clientID
			}
		}
		deleted = trim(s.notices, byClient[most], 0, min(limit, max(0, len(s.notices)-keep)), strings.Compare)
		return nil
	})
	return deleted, err
}
