package kube

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

const (
	// leaseDuration is how long a report counts without being renewed.
	leaseDuration = 60 * time.Second
	// renewInterval leaves room for two renewals that fail.
	renewInterval = 20 * time.Second
	// reportInterval is the least time between two reports, so that a thousand changes cost ten writes a second.
	reportInterval = 100 * time.Millisecond
	// Failed reports are tried again after a time that doubles from the first to the last of these.
	firstRetry, lastRetry = 200 * time.Millisecond, 10 * time.Second
	// callTimeout ends a call that is not answered.
	callTimeout = 10 * time.Second

	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "oidc-operator"
)

// leases is what a reporter needs of the API server.
type leases interface {
	apply(ctx context.Context, lease *coordinationv1.Lease) error
	remove(ctx context.Context, name string) error
	// list returns the reports of all replicas of a provider.
	list(ctx context.Context, provider string) ([]coordinationv1.Lease, error)
}

// reporter writes the Lease on which a replica tells what it has applied.
type reporter struct {
	leases leases
	opts   Options
	name   string
	feed   *feed
	now    func() time.Time
	// started is since when the replica notes the uses of secrets.
	started time.Time
}

// run reports until ctx is done and then deletes the Lease: at once when something was applied, but at most once in
// reportInterval, and otherwise every renewInterval. Whatever was applied last is always reported.
func (r *reporter) run(ctx context.Context, ready func() bool) {
	if !r.awaitReady(ctx, ready) {
		return
	}
	defer r.withdraw(ctx)
	retry := time.Duration(0)
	for {
		switch err := r.report(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil && retry == 0:
			r.opts.Logger.Warn("report of applied registrations failed; it is tried again", slog.Any("error", err))
			retry = firstRetry
		case err != nil:
			retry = min(2*retry, lastRetry)
		case retry != 0:
			r.opts.Logger.Info("report of applied registrations succeeded again")
			retry = 0
		}
		if !sleep(ctx, max(reportInterval, retry)) {
			return
		}
		if retry != 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-r.feed.changed:
		case <-time.After(renewInterval):
		}
	}
}

// awaitReady asks whenever something was applied, and every reportInterval for what is not a matter of registrations.
func (r *reporter) awaitReady(ctx context.Context, ready func() bool) bool {
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return false
		case <-r.feed.changed:
		case <-tick.C:
		}
	}
	return true
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (r *reporter) report(ctx context.Context) error {
	select {
	case <-r.feed.changed: // what it stands for is in this report
	default:
	}
	// A report that is given up on may still arrive, after the Lease was deleted, and speak for a replica that is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := r.leases.apply(ctx, r.lease()); err != nil {
		return fmt.Errorf("apply lease %s: %w", r.name, err)
	}
	return nil
}

// lease is the report. What is counted may be newer than the resource version says, never older.
func (r *reporter) lease() *coordinationv1.Lease {
	applied := ""
	if rv := r.feed.applied.Load(); rv != nil {
		applied = *rv
	}
	counts := r.opts.Index.Counts()
	lease := &coordinationv1.Lease{
		TypeMeta: metav1.TypeMeta{APIVersion: coordinationv1.SchemeGroupVersion.String(), Kind: "Lease"},
		ObjectMeta: metav1.ObjectMeta{
			Name: r.name, Namespace: r.opts.Namespace,
			Labels: map[string]string{
				labelManagedBy:             managedBy,
				registration.LabelProvider: r.opts.Provider,
				registration.LabelReplica:  "true",
			},
			Annotations: map[string]string{
				registration.AnnotationApplied:     applied,
				registration.AnnotationClients:     strconv.Itoa(counts.Clients),
				registration.AnnotationUsers:       strconv.Itoa(counts.Users),
				registration.AnnotationSigningKeys: strconv.Itoa(counts.SigningKeys),
			},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity:       &r.opts.Replica,
			LeaseDurationSeconds: new(int32(leaseDuration / time.Second)),
			RenewTime:            new(metav1.NewMicroTime(r.now())),
			AcquireTime:          new(metav1.NewMicroTime(r.started)), // of what was before, this replica knows nothing
		},
	}
	// Renewed with the report, which is soon enough: a use is told to the minute.
	uses, unknown := r.opts.Index.SecretUses()
	for annotation, text := range map[string]string{
		registration.AnnotationSecretUses: uses.String(), registration.AnnotationUnknownUses: unknown.String(),
	} {
		if text != "" {
			lease.Annotations[annotation] = text
		}
	}
	if r.opts.Storage != nil {
		if fault := r.opts.Storage(); fault != "" {
			lease.Annotations[registration.AnnotationStorage] = fault
		}
	}
	if r.opts.PodName != "" && r.opts.PodUID != "" {
		lease.OwnerReferences = []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "Pod", Name: r.opts.PodName, UID: types.UID(r.opts.PodUID)},
		}
	}
	return lease
}

// othersWork asks the API server: it happens only while a replica starts and cannot open its storage.
func (r *reporter) othersWork(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reports, err := r.leases.list(ctx, r.opts.Provider)
	if apierrors.IsForbidden(err) {
		return false, nil // of a Role that somebody else has written; there is nobody to ask then
	}
	if err != nil {
		return false, fmt.Errorf("list the reports of replicas: %w", err)
	}
	for i := range reports {
		report := &reports[i]
		renewed, lasts := report.Spec.RenewTime, report.Spec.LeaseDurationSeconds
		if report.Name == r.name || renewed == nil || lasts == nil || r.now().Sub(renewed.Time) > time.Duration(*lasts)*time.Second {
			continue
		}
		if report.Annotations[registration.AnnotationStorage] == "" {
			return true, nil
		}
	}
	return false, nil
}

// withdraw deletes the Lease, so that nobody waits for a replica that is gone. If it fails the Lease runs out by itself.
func (r *reporter) withdraw(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := r.leases.remove(ctx, r.name); err != nil && !apierrors.IsNotFound(err) {
		r.opts.Logger.Warn("withdrawing the report of applied registrations failed", slog.Any("error", err))
	}
}
