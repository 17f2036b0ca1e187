//go:build e2e

package e2e_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

// What an administrator does to a provider on PostgreSQL in working hours fails no call.
func TestPlannedChanges(t *testing.T) {
	s := begin(t)
	s.database()
	spec := func(replicas int, more string) string {
		return s.provider(fmt.Sprintf("%s\nreplicas: %d\n%s", onPostgres, replicas, more))
	}
	s.apply(spec(2, ""), machine("app"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	l := s.startTokens()

	s.apply(spec(2, "template: {labels: {changed: once}}"))
	s.awaitRollout(2)
	s.apply(spec(3, "template: {labels: {changed: once}}"))
	s.awaitRollout(3)
	s.kubectl("delete", "pod/"+s.pods()[0].Name)
	s.awaitRollout(3)
	s.apply(spec(1, "template: {labels: {changed: once}}"))
	s.awaitRollout(1)
	s.apply(spec(1, ""))
	s.awaitRollout(1)

	s.expectNoFailure(l)
}

// awaitRollout waits until so many pods run the current spec and none besides, also none that ends.
func (s *story) awaitRollout(replicas int32) {
	s.Helper()
	s.within(patience, func() error {
		d := &appsv1.Deployment{}
		s.get("sso", d)
		if *d.Spec.Replicas != replicas || d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas != replicas ||
			d.Status.AvailableReplicas != replicas || d.Status.Replicas != replicas {
			return fmt.Errorf("deployment: %d replicas wanted, %d; %d updated, %d available, %d in all",
				replicas, *d.Spec.Replicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas, d.Status.Replicas)
		}
		if n := len(s.pods()); n != int(replicas) {
			return fmt.Errorf("%d pods, want %d", n, replicas)
		}
		return nil
	})
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
}

// A pod that is killed is missed for as long as it takes Kubernetes to notice, and no longer: calls that come after are answered by the others.
func TestKilledPod(t *testing.T) {
	s := begin(t)
	s.database()
	s.apply(s.provider(onPostgres+"\nreplicas: 2"), machine("app"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	s.kubectl("delete", "pod/"+s.pods()[0].Name, "--grace-period=0", "--force")
	l := s.startTokens()
	s.within(patience, func() error { return enough(l, 50) })
	if failures := l.stop(); len(failures) > l.calls/10 {
		t.Errorf("%d of %d calls failed: %s", len(failures), l.calls, failures[0])
	}
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
}

func enough(l *load, calls int) error {
	if n := l.count(); n < calls {
		return fmt.Errorf("%d calls of %d", n, calls)
	}
	return nil
}
