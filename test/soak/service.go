package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// probePeriod is how often the readiness of a replica is asked for. In a cluster a pod that is told to end leaves its Service
// sooner than that, and one that fails by itself later.
const probePeriod = time.Second

// service leads connections to replicas as a Kubernetes Service does: each new connection to one that is ready, and none of those
// that exist elsewhere. It does not look at requests, so it repeats none.
type service struct {
	endpoints []*endpoint
	next      atomic.Int64
	// retried counts connections that were refused by one replica and taken to the other.
	retried atomic.Int64
}

// endpoint is a replica as the Service knows it.
type endpoint struct {
	address, admin string
	ready          atomic.Bool
}

// transport returns a transport of its own connections, all of which go to the Service, whatever host the request is for.
func (s *service) transport() *http.Transport {
	return &http.Transport{DialContext: s.dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}
}

func (s *service) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	turn := int(s.next.Add(1))
	err := errors.New("no replica is ready")
	for i := range s.endpoints {
		e := s.endpoints[(turn+i)%len(s.endpoints)]
		if !e.ready.Load() {
			continue
		}
		var connection net.Conn
		if connection, err = (&net.Dialer{}).DialContext(ctx, network, e.address); err == nil {
			return connection, nil
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		s.retried.Add(1)
	}
	return nil, err
}

// probe asks each replica for its readiness until ctx ends.
func (s *service) probe(ctx context.Context) {
	for ctx.Err() == nil {
		for _, e := range s.endpoints {
			e.ready.Store(e.answers(ctx))
		}
		select {
		case <-ctx.Done():
		case <-time.After(probePeriod):
		}
	}
}

// answers asks for long: one late answer of a busy machine takes no replica out, just as a kubelet needs three.
func (e *endpoint) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.admin+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // only the status counts
	return response.StatusCode == http.StatusOK
}

// awaitReady waits until at least n replicas are ready.
func (s *service) awaitReady(ctx context.Context, n int) error {
	return await(ctx, func() error {
		ready := 0
		for _, e := range s.endpoints {
			if e.ready.Load() {
				ready++
			}
		}
		if ready < n {
			return fmt.Errorf("%d of %d replicas are ready", ready, n)
		}
		return nil
	})
}

// patience is how long something may take on a machine that is busy with others.
const patience = time.Minute

// await asks until there is no error any more, for as long as patience lasts.
func await(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", patience, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
