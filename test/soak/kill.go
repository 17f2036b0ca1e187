package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"
)

// errUnanswered is what becomes of a call whose replica was killed before it answered. Nobody may repeat it for the caller: it may have
// been done. It is no failure, but everything that was answered before must have lasted.
var errUnanswered = errors.New("the replica was killed before it answered")

// killedProviders is what the ledger calls it.
const killedProviders = "providers killed (SIGKILL)"

// cutFor is how long after a kill a call may still be sent on a connection of the replica that is gone.
const cutFor = time.Second

// killing notes that a replica is about to be killed.
func (l *ledger) killing() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed = time.Now()
}

// cut tells whether a call that began at start has failed because its replica was killed.
func (l *ledger) cut(start time.Time, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return broken(err) && l.killed.After(start.Add(-cutFor))
}

// broken tells whether a connection has ended before the answer.
func broken(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// pinned leads connections to one replica, until it is let go.
type pinned struct {
	service *service
	to      atomic.Pointer[endpoint]
}

func (p *pinned) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if to := p.to.Load(); to != nil {
		return (&net.Dialer{}).DialContext(ctx, network, to.address)
	}
	return p.service.dial(ctx, network, address)
}

// acknowledged is what a replica has answered: whoever has it relies on it.
type acknowledged struct {
	party   *party
	browser *browser
	held    tokens
	code    code
}

// acknowledge gets everything that can be had from one replica.
func (s *site) acknowledge(ctx context.Context, pin *pinned) (*acknowledged, error) {
	b, err := s.newBrowser(person(0))
	if err != nil {
		return nil, err
	}
	a := &acknowledged{party: s.newParty(ctx, s.web, true), browser: b}
	for _, client := range []*http.Client{a.party.client, b.client} {
		client.Transport = &http.Transport{DialContext: pin.dial}
	}
	if a.held, err = a.party.codeFlow(ctx, b, "openid offline_access"); err != nil {
		return nil, err
	}
	if a.held, err = a.party.refresh(ctx, a.held); err != nil {
		return nil, err
	}
	a.code, err = a.party.authorize(ctx, b, "openid", url.Values{"prompt": {"none"}})
	return a, err
}

// lasts makes sure that what one replica has promised is kept: tokens, a code, and that somebody is logged in. The next code, and the next
// refresh token, are for the next time.
func (a *acknowledged) lasts(ctx context.Context) error {
	if err := a.party.userinfo(ctx, a.held.AccessToken); err != nil {
		return fmt.Errorf("access token: %w", err)
	}
	if _, err := a.party.redeem(ctx, a.code); err != nil {
		return fmt.Errorf("code: %w", err)
	}
	held, err := a.party.refresh(ctx, a.held)
	if err != nil {
		return fmt.Errorf("refresh token: %w", err)
	}
	a.held = held
	a.code, err = a.party.authorize(ctx, a.browser, "openid", url.Values{"prompt": {"none"}})
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// killProvider kills a replica, makes sure that what it has answered lasts with the other one alone, and starts it again under its name,
// as a kubelet does with a container that has ended.
func (s *site) killProvider(ctx context.Context, i int) error {
	e := s.service.endpoints[i]
	pin := &pinned{service: s.service}
	pin.to.Store(e)
	promised, err := s.acknowledge(ctx, pin)
	if err != nil {
		return fmt.Errorf("before the kill: %w", err)
	}
	pin.to.Store(nil)
	if err := s.service.awaitReady(ctx, len(s.providers)); err != nil { // the other one has to take everything
		return err
	}
	s.ledger.killing()
	if err := s.providers[i].end(syscall.SIGKILL); err != nil {
		return err
	}
	s.providers[i] = nil // there is nothing to end any more
	s.ledger.disturbed(killedProviders)
	for _, client := range []*http.Client{promised.party.client, promised.browser.client} {
		client.CloseIdleConnections()
	}
	if err := promised.lasts(ctx); err != nil {
		return fmt.Errorf("what the killed replica has answered is lost: %w", err)
	}
	err = await(ctx, func() error {
		if e.ready.Load() {
			return errors.New("the killed replica is said to be ready")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.runProvider(i); err != nil {
		return err
	}
	if err := s.service.awaitReady(ctx, len(s.providers)); err != nil {
		return err
	}
	return promised.lasts(ctx)
}
