package controllers

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// ProbeTarget is where a provider is reached in the cluster.
type ProbeTarget struct {
	// Address is the host and port of its Service.
	Address string
	// TLS tells that the provider serves https there.
	TLS bool
	// Issuer is the provider's.
	Issuer string
}

// A Probe makes a call to a provider through its Service, and returns why the call was not answered as it should be.
type Probe func(ctx context.Context, target ProbeTarget) error

const (
	probeTimeout = 2 * time.Second
	// firstProbeRetry and lastProbeRetry are the shortest and the longest time between two probes that fail.
	firstProbeRetry, lastProbeRetry = 250 * time.Millisecond, 15 * time.Second
	maxProbeBody                    = 1 << 20
)

// ProbeDiscovery is a Probe that reads the discovery document. It does not verify the certificate: nothing secret is sent, nothing that is
// received is relied upon, and the certificate is judged by itself, see ConditionTLSReady; relying parties verify it.
func ProbeDiscovery(ctx context.Context, target ProbeTarget) error {
	issuer, err := url.Parse(target.Issuer)
	if err != nil {
		return fmt.Errorf("parse issuer: %w", err)
	}
	at, err := url.Parse(oidc.Endpoint(target.Issuer, oidc.PathDiscovery))
	if err != nil {
		return fmt.Errorf("parse issuer: %w", err)
	}
	at.Scheme, at.Host = "http", target.Address
	if target.TLS {
		at.Scheme = "https"
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Host = issuer.Host
	transport := &http.Transport{
		DisableKeepAlives: true,                                                                 // a connection of before proves nothing
		TLSClientConfig:   &tls.Config{ServerName: issuer.Hostname(), InsecureSkipVerify: true}, //nolint:gosec // see above
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return plainly(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxProbeBody)).Decode(&document); err != nil || document.Issuer != target.Issuer {
		return errors.New("the answer is not this provider's discovery document")
	}
	return nil
}

// plainly returns an error without what changes with each attempt, such as the port that the call came from.
func plainly(err error) error {
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no answer in time")
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// reach remembers through which Services providers were reached, so that one is asked only when nobody knows: first of all, and when
// none of the pods that were its endpoints is one any more.
type reach struct {
	probe Probe

	mu    sync.Mutex
	known map[types.NamespacedName]reached
}

type reached struct {
	service string
	pods    map[types.UID]bool
	// failing is since when it cannot be reached, or zero.
	failing time.Time
}

func newReach(probe Probe) *reach {
	return &reach{probe: probe, known: map[types.NamespacedName]reached{}}
}

func (r *reach) forget(provider types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, provider)
}

// judge returns a verdict when the provider cannot be reached through its Service, and when to try again. service is as it stands, or nil.
func (r *reach) judge(ctx context.Context, p *v1alpha1.OIDCProvider, service *corev1.Service, port resources.Port, pods []corev1.Pod, now time.Time) (*verdict, time.Duration) {
	if r.probe == nil {
		return nil, 0
	}
	if service == nil || service.Spec.ClusterIP == "" {
		v := wait(v1alpha1.ReasonServiceUnreachable, fmt.Sprintf("Service %q has no address yet", p.Name))
		return &v, firstProbeRetry
	}
	target := ProbeTarget{
		Address: net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(int(port.Service))), TLS: port.Name == resources.PortHTTPS, Issuer: p.Spec.Issuer,
	}
	serving := map[types.UID]bool{}
	for i := range pods {
		if podServes(&pods[i]) {
			serving[pods[i].UID] = true
		}
	}
	current := reached{service: string(service.UID) + " " + target.Address, pods: serving}
	last := r.last(p.Key())
	if last.failing.IsZero() && last.service == current.service && overlap(last.pods, serving) {
		r.set(p.Key(), current)
		return nil, 0
	}
	err := r.probe(ctx, target)
	if err == nil {
		r.set(p.Key(), current)
		return nil, 0
	}
	current.failing = last.failing
	if current.failing.IsZero() {
		current.failing = now
	}
	r.set(p.Key(), current)
	v := wait(v1alpha1.ReasonServiceUnreachable, fmt.Sprintf(
		"a call to Service %q on port %d fails: %s; if a NetworkPolicy or a service mesh keeps the operator out, let it in or start the operator with --probe-services=false",
		p.Name, port.Service, brief(err.Error())))
	return &v, min(max(now.Sub(current.failing)/4, firstProbeRetry), lastProbeRetry)
}

func (r *reach) last(provider types.NamespacedName) reached {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[provider]
}

func (r *reach) set(provider types.NamespacedName, current reached) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[provider] = current
}

func overlap(a, b map[types.UID]bool) bool {
	for uid := range a {
		if b[uid] {
			return true
		}
	}
	return false
}
