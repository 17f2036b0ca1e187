package provider

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// What is stored of requests for which nobody has signed in yet (pushed and posted authorization requests, devices) has a total, and
// each client a share of it. When there is no room, the oldest requests give way, and first those of who has the most: of the client that
// has the most, from the network that has the most. So a flood displaces itself, and a request that comes now finds room, also where
// all requests come from one address because a proxy is not named.
const (
	// waitingBytes is the total unless Options.WaitingBytes says otherwise, and waitingShare the part of it that one client may have.
	waitingBytes = 64 << 20
	waitingShare = 4
	// waitingRead is how often storage is asked how much is there: other replicas store requests, too, and requests are used and purged.
	waitingRead = time.Second
	// waitingStep is which part of the total gives way at once, so that a flood does not cost a deletion for every request, and
	// waitingBatch how many requests are deleted at a time.
	waitingStep  = 64
	waitingBatch = 1000
	// waitingTries bounds how often room is made for one request. Each time but the last ones a whole step is deleted.
	waitingTries = 8
	// waitingWarned is how often the log tells that requests give way.
	waitingWarned = time.Minute
)

// errWaitingFull is what is said when no room can be made, because others take it at the same time.
var errWaitingFull = &oidc.Error{Code: oidc.CodeTemporarilyUnavailable, Description: "too many requests wait for somebody to sign in; try again soon"}

// waiting bounds what is stored of waiting requests.
type waiting struct {
	store store.Bounds
	// most is the total, limit that or what storage has room for if it is less.
	most, limit int64
	now         func() time.Time
	logger      *slog.Logger
	// dropped is called whenever requests give way.
	dropped func()

	// turn is held by whoever uses what follows. It is no mutex, so that a caller can give up waiting for it.
	turn     chan struct{}
	readAt   time.Time
	warnedAt time.Time
	total    int64
	byClient map[string]*waitingClient
}

// waitingClient is what one client has stored.
type waitingClient struct {
	total     int64
	byNetwork map[string]int64
}

func newWaiting(s store.Bounds, limit int64, now func() time.Time, logger *slog.Logger) *waiting {
	if limit <= 0 {
		limit = waitingBytes
	}
	return &waiting{store: s, most: limit, now: now, logger: logger, dropped: func() {}, turn: make(chan struct{}, 1)}
}

// makeRoom sees to it that a request of so many bytes can be stored, and counts it.
func (w *waiting) makeRoom(ctx context.Context, clientID, network string, size int64) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if now := w.now(); w.readAt.IsZero() || now.Sub(w.readAt) >= waitingRead || now.Before(w.readAt) {
		if err := w.read(ctx); err != nil {
			return err
		}
	}
	for range waitingTries {
		heaviest := w.mustGiveWay(clientID, size)
		if heaviest == "" {
			w.add(clientID, network, size)
			return nil
		}
		if err := w.giveWay(ctx, heaviest, size); err != nil {
			return err
		}
	}
	return errWaitingFull
}

// read asks storage how much is there.
func (w *waiting) read(ctx context.Context) error {
	at := w.now()
	shares, room, err := w.store.WaitingShares(ctx)
	if err != nil {
		return fmt.Errorf("read waiting requests: %w", err)
	}
	if w.limit = w.most; room > 0 {
		w.limit = min(w.most, room)
	}
	w.readAt, w.total, w.byClient = at, 0, map[string]*waitingClient{}
	for _, s := range shares {
		w.add(s.ClientID, s.Network, s.Bytes)
	}
	return nil
}

func (w *waiting) add(clientID, network string, size int64) {
	c := w.byClient[clientID]
	if c == nil {
		c = &waitingClient{byNetwork: map[string]int64{}}
		w.byClient[clientID] = c
	}
	w.total += size
	c.total += size
	c.byNetwork[network] += size
}

// mustGiveWay returns the client whose requests must give way before one of so many bytes can be stored for a client, or "".
func (w *waiting) mustGiveWay(clientID string, size int64) string {
	if c := w.byClient[clientID]; c != nil && c.total > 0 && c.total+size > w.limit/waitingShare {
		return clientID
	}
	if w.total == 0 || w.total+size <= w.limit {
		return ""
	}
	heaviest, most := "", int64(0)
	for id, c := range w.byClient {
		if c.total > most || c.total == most && id < heaviest {
			heaviest, most = id, c.total
		}
	}
	return heaviest
}

// giveWay deletes the oldest requests of a client from the network from which it has the most.
func (w *waiting) giveWay(ctx context.Context, clientID string, size int64) error {
	c := w.byClient[clientID]
	network, most := "", int64(-1)
	for name, bytes := range c.byNetwork {
		if bytes > most || bytes == most && name < network {
			network, most = name, bytes
		}
	}
	step := max(size, w.limit/waitingStep)
	// One network is not made to give way to much less than another has.
	dropped, err := w.store.DropWaiting(ctx, clientID, network, min(step, max(most, 1)), waitingBatch)
	if err != nil {
		return fmt.Errorf("drop waiting requests: %w", err)
	}
	if dropped == 0 { // others have used or deleted them
		return w.read(ctx)
	}
	w.add(clientID, network, -dropped)
	w.dropped()
	if now := w.now(); now.Sub(w.warnedAt) >= waitingWarned {
		w.warnedAt = now
		w.logger.WarnContext(ctx, "requests for which nobody has signed in yet give way to newer ones: there are too many of this client",
			"client_id", clientID, "network", network, "limit_bytes", w.limit)
	}
	return nil
}
