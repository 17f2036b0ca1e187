package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// CreateSession implements store.Store.
func (s *Store) CreateSession(ctx context.Context, session store.Session) error {
	session = copySession(session)
	return s.call(ctx, func() error {
		if _, ok := s.cookies[session.Handle]; ok {
			return errExists
		}
		if err := insert(s.sessions, session.ID, session); err != nil {
			return err
		}
		s.cookies[session.Handle] = session.ID
		return nil
	})
}

// RenewSession implements store.Store.
func (s *Store) RenewSession(ctx context.Context, session store.Session) error {
	session = copySession(session)
	return s.call(ctx, func() error {
		before, ok := s.sessions[session.ID]
		if !ok {
			return store.ErrNotFound
		}
		if id, ok := s.cookies[session.Handle]; ok && id != session.ID {
			return errExists
		}
		delete(s.cookies, before.Handle)
		s.sessions[session.ID], s.cookies[session.Handle] = session, session.ID
		return nil
	})
}

func copySession(session store.Session) store.Session {
	session.AuthMethods = slices.Clone(session.AuthMethods)
	session.AuthTime, session.LastSeenAt, session.ExpiresAt = micros(session.AuthTime), micros(session.LastSeenAt), micros(session.ExpiresAt)
	return session
}

// Session implements store.Store.
func (s *Store) Session(ctx context.Context, h store.Handle) (store.Session, error) {
	id, err := find(ctx, s, s.cookies, h)
	if err != nil {
		return store.Session{}, err
	}
	return s.SessionByID(ctx, id)
}

// SessionByID implements store.Store.
func (s *Store) SessionByID(ctx context.Context, id string) (store.Session, error) {
	session, err := find(ctx, s, s.sessions, id)
	return copySession(session), err
}

// SessionsOf implements store.Store.
func (s *Store) SessionsOf(ctx context.Context, subject string) (found []store.Session, err error) {
	err = s.call(ctx, func() error {
		for _, session := range s.sessions {
			if session.Subject == subject {
				found = append(found, copySession(session))
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b store.Session) int {
		return cmp.Or(b.AuthTime.Compare(a.AuthTime), cmp.Compare(a.ID, b.ID))
	})
	return found, err
}

// TouchSession implements store.Store.
func (s *Store) TouchSession(ctx context.Context, h store.Handle, lastSeenAt time.Time) error {
	return s.call(ctx, func() error {
		session, ok := s.sessions[s.cookies[h]]
		if seen := micros(lastSeenAt); ok && seen.After(session.LastSeenAt) {
			session.LastSeenAt = seen
			s.sessions[session.ID] = session
		}
		return nil
	})
}

// EndSession implements store.Store.
func (s *Store) EndSession(ctx context.Context, id string, tell store.Tell) error {
	return s.call(ctx, func() error {
		session, ok := s.sessions[id]
		if !ok {
			return nil
		}
		return s.end([]store.Session{session}, tell)
	})
}

// end ends sessions and stores what their clients must be told, all or nothing.
func (s *Store) end(sessions []store.Session, tell store.Tell) error {
	all := maps.Clone(s.notices)
	for _, session := range sessions {
		if tell == nil {
			break
		}
		for _, n := range tell(copySession(session), s.clientsOf(session.ID)) {
			n.NextAt, n.ExpiresAt = micros(n.NextAt), micros(n.ExpiresAt)
			if err := insert(all, n.ID, n); err != nil {
				return err
			}
		}
	}
	for _, session := range sessions {
		delete(s.sessions, session.ID)
		delete(s.cookies, session.Handle)
		delete(s.clients, session.ID)
	}
	s.notices = all
	return nil
}

func (s *Store) clientsOf(sessionID string) (found []store.Client) {
	for _, id := range slices.Sorted(maps.Keys(s.clients[sessionID])) {
		found = append(found, store.Client{ID: id, UID: s.clients[sessionID][id]})
	}
	return found
}

// TakeNotices implements store.Store.
func (s *Store) TakeNotices(ctx context.Context, now, until time.Time, limit int) (taken []store.Notice, err error) {
	err = s.call(ctx, func() error {
		due := slices.SortedFunc(maps.Values(s.notices), func(a, b store.Notice) int {
			return cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.ID, b.ID))
		})
		for _, n := range due {
			if len(taken) == limit || n.NextAt.After(now) {
				break
			}
			n.Attempts++
			n.NextAt = micros(until)
			s.notices[n.ID] = n
			taken = append(taken, n)
		}
		return nil
	})
	return taken, err
}

// PostponeNotice implements store.Store.
func (s *Store) PostponeNotice(ctx context.Context, id string, nextAt time.Time) error {
	return s.call(ctx, func() error {
		if n, ok := s.notices[id]; ok {
			n.NextAt = micros(nextAt)
			s.notices[id] = n
		}
		return nil
	})
}

// DeleteNotice implements store.Store.
func (s *Store) DeleteNotice(ctx context.Context, id string) error {
	return s.call(ctx, func() error { delete(s.notices, id); return nil })
}

// CountNotices implements store.Store.
func (s *Store) CountNotices(ctx context.Context) (count int, err error) {
	err = s.call(ctx, func() error { count = len(s.notices); return nil })
	return count, err
}
