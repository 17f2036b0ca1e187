package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/status"
)

// disturbance is something that is done to the site.
type disturbance struct {
	name string
	do   func(context.Context) error
}

// disturb goes through rounds of disturbances, at least one, until the deadline has passed. Each round restarts everything while
// something is being rotated.
func (s *site) disturb(ctx context.Context, load *load, deadline time.Time) error {
	nothing := func(context.Context) error { return nil }
	operator := func(signal syscall.Signal) func(context.Context) error {
		return func(ctx context.Context) error { return s.restartOperator(ctx, signal) }
	}
	provider := func(i int) func(context.Context) error {
		return func(ctx context.Context) error { return s.restartProvider(ctx, i) }
	}
	kill := func(i int) func(context.Context) error {
		return func(ctx context.Context) error { return s.killProvider(ctx, i) }
	}
	round := []disturbance{
		{"rotate the signing key", s.duringKey(nothing)},
		{"rotate client secrets", s.duringSecrets(nothing)},
		{"restart the operator during a rotation of client secrets", s.duringSecrets(operator(syscall.SIGTERM))},
		{"restart the first provider during a rotation of client secrets", s.duringSecrets(provider(0))},
		{"kill the operator during a rotation of the signing key", s.duringKey(operator(syscall.SIGKILL))},
		{"kill the operator during a rotation of client secrets", s.duringSecrets(operator(syscall.SIGKILL))},
		{"restart the second provider during a rotation of the signing key", s.duringKey(provider(1))},
		{"kill the first provider during a rotation of client secrets", s.duringSecrets(kill(0))},
		{"kill the second provider during a rotation of the signing key", s.duringKey(kill(1))},
		{"forget old signing keys", func(ctx context.Context) error { return s.forgetKeys(ctx, load) }},
	}
	for first := true; first || time.Now().Before(deadline); first = false {
		for _, step := range round {
			s.ledger.begin(step.name)
			if err := step.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
		}
		s.ledger.disturbed("rounds")
	}
	return nil
}

// request gives the annotation that asks for a rotation a new value.
func (s *site) request(ctx context.Context, obj client.Object) error {
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRotate, strconv.FormatInt(time.Now().UnixNano(), 36))
	if err := s.client.Patch(ctx, obj, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		return fmt.Errorf("annotate %T %s: %w", obj, obj.GetName(), err)
	}
	return nil
}

// duringSecrets asks for other client secrets, does something at once, and waits until they are in the applications' Secrets.
func (s *site) duringSecrets(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error { return s.rotateSecrets(ctx, do) }
}

func (s *site) rotateSecrets(ctx context.Context, do func(context.Context) error) error {
	clients := []*v1alpha1.OIDCClient{s.web, s.machine}
	before := make([]string, len(clients))
	for i, c := range clients {
		// The copy that is held is changed by nobody else: other goroutines have taken what they need of it.
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		before[i] = c.Status.Credentials.CurrentSecretID
		if err := s.request(ctx, c); err != nil {
			return err
		}
	}
	if err := do(ctx); err != nil {
		return err
	}
	for i, c := range clients {
		err := await(ctx, func() error {
			if err := status.Ready(ctx, s.client, c); err != nil {
				return err
			}
			if c.Status.Credentials.CurrentSecretID == before[i] {
				return fmt.Errorf("the client secret of %s is not rotated", c.Name)
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.ledger.disturbed("client secrets rotated")
	}
	return nil
}

// duringKey asks for another signing key, does something at once, and waits until it signs.
func (s *site) duringKey(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error { return s.rotateKey(ctx, do) }
}

func (s *site) rotateKey(ctx context.Context, do func(context.Context) error) error {
	k := s.signingKey
	if err := status.Ready(ctx, s.client, k); err != nil {
		return err
	}
	before := k.Status.ActiveKeyID
	if err := s.request(ctx, k); err != nil {
		return err
	}
	if err := do(ctx); err != nil {
		return err
	}
	if err := await(ctx, func() error { return s.published(ctx) }); err != nil {
		return err
	}
	if err := s.ageKeys(ctx, publishBefore+time.Minute); err != nil {
		return err
	}
	err := await(ctx, func() error {
		if err := status.Ready(ctx, s.client, k); err != nil {
			return err
		}
		if k.Status.ActiveKeyID == before {
			return errors.New("the new signing key does not sign")
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.ledger.disturbed("signing keys rotated")
	return nil
}

// forgetMargin stands for the day, and ten minutes, that the API has an old key last at least: by then every replica has long signed
// with the new one.
const forgetMargin = 5 * time.Second

// forgetKeys takes the keys that sign no more out of the JWKS, when what they have signed has been verified.
func (s *site) forgetKeys(ctx context.Context, load *load) error {
	time.Sleep(forgetMargin)
	if err := load.passed(ctx); err != nil {
		return err
	}
	if err := s.ageKeys(ctx, 25*time.Hour); err != nil {
		return err
	}
	err := await(ctx, func() error {
		if err := status.Ready(ctx, s.client, s.signingKey); err != nil {
			return err
		}
		if n := len(s.signingKey.Status.Keys); n != 1 {
			return fmt.Errorf("%d keys are in the JWKS; want 1", n)
		}
		return nil
	})
	if err == nil {
		s.ledger.disturbed("old signing keys gone from the JWKS")
	}
	return err
}

// restartOperator ends the operator and starts it again.
func (s *site) restartOperator(ctx context.Context, signal syscall.Signal) error {
	end, what := s.operator.quit, "operator restarted (SIGTERM)"
	if signal == syscall.SIGKILL {
		end, what = func() error { return s.operator.end(signal) }, "operator killed (SIGKILL)"
	}
	if err := end(); err != nil {
		return err
	}
	s.ledger.disturbed(what)
	return s.startOperator(ctx)
}

// restartProvider replaces a replica, with the other one alone in between.
func (s *site) restartProvider(ctx context.Context, i int) error {
	if err := s.providers[i].quit(); err != nil {
		return fmt.Errorf("%w: %s", err, s.providers[i].said.String())
	}
	if err := s.startProvider(i); err != nil {
		return err
	}
	if err := s.service.awaitReady(ctx, len(s.providers)); err != nil {
		return err
	}
	s.ledger.disturbed("providers restarted (SIGTERM)")
	return nil
}
