package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// waitingHarness stores requests as the provider does, with a small total.
type waitingHarness struct {
	*waiting
	memory  *memory.Store
	clock   time.Time
	dropped int
}

const testedWaitingLimit = 1 << 20

func newWaitingHarness(t *testing.T) *waitingHarness {
	t.Helper()
	h := &waitingHarness{memory: memory.New(), clock: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
	h.waiting = h.replica()
	return h
}

func (h *waitingHarness) replica() *waiting {
	w := newWaiting(h.memory, testedWaitingLimit, func() time.Time { return h.clock }, slog.New(slog.DiscardHandler))
	w.dropped = func() { h.dropped++ }
	return w
}

// push stores a request of about 10 KB and returns its handle.
func (h *waitingHarness) push(t *testing.T, w *waiting, clientID, network string) store.Handle {
	t.Helper()
	h.clock = h.clock.Add(time.Millisecond)
	r := store.PushedRequest{
		Handle: store.HandleOf(store.NewValue(h.clock)), Client: store.Client{ID: clientID}, Network: network,
		Parameters: strings.Repeat("x", 10_000), ExpiresAt: h.clock.Add(time.Hour),
	}
	if err := w.makeRoom(t.Context(), clientID, network, r.Size()); err != nil {
		t.Fatalf("makeRoom: %v", err)
	}
	if err := h.memory.CreatePushedRequest(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r.Handle
}

func (h *waitingHarness) has(t *testing.T, handle store.Handle) bool {
	t.Helper()
	_, err := h.memory.PushedRequest(t.Context(), handle)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// stored returns the bytes that are stored in all, and of one client.
func (h *waitingHarness) stored(t *testing.T, clientID string) (all, one int64) {
	t.Helper()
	shares, _, err := h.memory.WaitingShares(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shares {
		all += s.Bytes
		if s.ClientID == clientID {
			one += s.Bytes
		}
	}
	return all, one
}

func TestOneClientHasAShareOfWhatWaits(t *testing.T) {
	h := newWaitingHarness(t)
	other := h.push(t, h.waiting, "other", "192.0.2.1")
	var handles []store.Handle
	for range 500 {
		handles = append(handles, h.push(t, h.waiting, "flooded", "192.0.2.1"))
		if _, one := h.stored(t, "flooded"); one > testedWaitingLimit/waitingShare {
			t.Fatalf("one client has %d bytes", one)
		}
	}
	if !h.has(t, other) {
		t.Error("the request of another client gave way")
	}
	if h.has(t, handles[0]) || !h.has(t, handles[len(handles)-1]) || !h.has(t, handles[len(handles)-10]) {
		t.Error("it is not the oldest requests that gave way")
	}
	if h.dropped == 0 {
		t.Error("nothing was counted")
	}
}

func TestWhoHasTheMostGivesWay(t *testing.T) {
	h := newWaitingHarness(t)
	quiet := h.push(t, h.waiting, "quiet", "192.0.2.1")
	neighbour := h.push(t, h.waiting, "flooded-0", "192.0.2.1")
	// A stranger uses the IDs of many clients.
	for i := range 1000 {
		h.push(t, h.waiting, fmt.Sprintf("flooded-%d", i%20), "203.0.113.1")
		if all, _ := h.stored(t, ""); all > testedWaitingLimit {
			t.Fatalf("%d bytes are stored", all)
		}
	}
	if !h.has(t, quiet) {
		t.Error("the request of a client that has few gave way")
	}
	if !h.has(t, neighbour) {
		t.Error("the request from a network that has few gave way")
	}
	if fresh := h.push(t, h.waiting, "newcomer", "192.0.2.9"); !h.has(t, fresh) {
		t.Error("there is no room for a newcomer")
	}
}

// Replicas that share storage share the total: what another has stored meanwhile is known within a second, as is what was used.
func TestReplicasShareTheTotalOfWhatWaits(t *testing.T) {
	h := newWaitingHarness(t)
	a, b := h.replica(), h.replica()
	for i := range 400 {
		h.push(t, []*waiting{a, b}[i%2], fmt.Sprintf("client-%d", i%8), "192.0.2.1")
		h.clock = h.clock.Add(100 * time.Millisecond)
	}
	if all, _ := h.stored(t, ""); all > testedWaitingLimit+20*11_000 {
		t.Errorf("%d bytes are stored", all)
	}
	// Everything is used: there is room without anything giving way.
	shares, _, err := h.memory.WaitingShares(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shares {
		if _, err := h.memory.DropWaiting(t.Context(), s.ClientID, s.Network, s.Bytes, 10_000); err != nil {
			t.Fatal(err)
		}
	}
	h.clock = h.clock.Add(waitingRead)
	before := h.dropped
	for range 20 {
		h.push(t, a, "client-1", "192.0.2.1")
	}
	if h.dropped != before {
		t.Error("requests give way although there is room")
	}
}

// failingBounds fails, or has nothing to drop although it says that there is much.
type failingBounds struct {
	store.Bounds
	err    error
	shares []store.WaitingShare
	room   int64
}

func (f failingBounds) WaitingShares(context.Context) ([]store.WaitingShare, int64, error) {
	return slices.Clone(f.shares), f.room, f.err
}

func (failingBounds) DropWaiting(context.Context, string, string, int64, int) (int64, error) {
	return 0, nil
}

func TestRoomThatCannotBeMade(t *testing.T) {
	now := func() time.Time { return time.Unix(1, 0) }
	failing := newWaiting(failingBounds{err: store.ErrUnavailable}, 1000, now, slog.New(slog.DiscardHandler))
	if err := failing.makeRoom(t.Context(), "app", "", 10); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("storage that cannot be read: %v", err)
	}
	full := newWaiting(failingBounds{shares: []store.WaitingShare{{ClientID: "app", Bytes: 2000}}}, 1000, now, slog.New(slog.DiscardHandler))
	if err := full.makeRoom(t.Context(), "app", "", 10); !errors.Is(err, errWaitingFull) {
		t.Errorf("nothing can be dropped: %v", err)
	}
	small := newWaiting(failingBounds{shares: []store.WaitingShare{{ClientID: "app", Bytes: 200}}, room: 400}, 0, now, slog.New(slog.DiscardHandler))
	if err := small.makeRoom(t.Context(), "app", "", 10); !errors.Is(err, errWaitingFull) {
		t.Errorf("storage that has less room than there may be: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	full.turn <- struct{}{}
	if err := full.makeRoom(ended, "app", "", 10); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who gives up: %v", err)
	}
}
