package controllers

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// The annotations of a credentials Secret that hold its issuance. They are written together with the client secret, so that no
// crash can come between the two.
const (
	annotationSecretID  = "oidc-operator.dev/secret-id"
	annotationRotatedAt = "oidc-operator.dev/rotated-at"
	annotationHandled   = "oidc-operator.dev/rotation-handled"
	annotationRestarted = "oidc-operator.dev/restarted-for"
	// annotationPartlyRestarted holds the secret's ID and the workloads that were restarted for it, as long as others were not.
	annotationPartlyRestarted = "oidc-operator.dev/restarted-workloads"
	// annotationSecretKey holds the key under which the client secret stands, which the spec may have changed since.
	annotationSecretKey = "oidc-operator.dev/secret-key"
)

// issuance is what is noted in a credentials Secret about the client secret in it.
type issuance struct {
	// secretID names the client secret; empty when nothing is noted.
	secretID string
	// rotatedAt is when it was put there.
	rotatedAt time.Time
	// handled is the request that the last rotation has answered.
	handled string
	// restarted is the ID of the secret for which the workloads were restarted.
	restarted string
	// partly is what annotationPartlyRestarted says.
	partly string
}

// been returns the workloads that were restarted for the secret already.
func (i issuance) been() []string {
	if fields := strings.Fields(i.partly); len(fields) > 0 && fields[0] == i.secretID && i.restarted != i.secretID {
		return fields[1:]
	}
	return nil
}

// partlyRestarted returns what annotationPartlyRestarted is to say when more were restarted, or "".
func (i issuance) partlyRestarted(more []v1alpha1.Workload) string {
	been := i.been()
	for _, w := range more {
		been = append(been, workloadID(w))
	}
	if len(been) == 0 {
		return ""
	}
	return i.secretID + " " + strings.Join(been, " ")
}

func issuanceOf(secret *corev1.Secret) issuance {
	i := issuance{
		secretID:  secret.Annotations[annotationSecretID],
		handled:   secret.Annotations[annotationHandled],
		restarted: secret.Annotations[annotationRestarted],
		partly:    secret.Annotations[annotationPartlyRestarted],
	}
	if at, err := time.Parse(time.RFC3339, secret.Annotations[annotationRotatedAt]); err == nil {
		i.rotatedAt = at
	}
	return i
}

func (i issuance) annotations() map[string]string {
	annotations := map[string]string{}
	for name, value := range map[string]string{
		annotationSecretID: i.secretID, annotationHandled: i.handled, annotationRestarted: i.restarted,
		annotationPartlyRestarted: i.partlyRestarted(nil),
	} {
		if value != "" {
			annotations[name] = value
		}
	}
	if !i.rotatedAt.IsZero() {
		annotations[annotationRotatedAt] = i.rotatedAt.UTC().Format(time.RFC3339)
	}
	return annotations
}

// briefly returns text, or a digest of one that is long.
func briefly(text string) string {
	if len(text) <= 128 {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// maxSpread bounds the time over which overdue rotations are spread.
const maxSpread = time.Hour

// nextRotation returns when the client secret is due to be replaced, or zero. It is the same in every reconcile until then. When
// it is overdue because it was never announced, an interval is new: then it is not now, because it may be so for a thousand
// OIDCClients at a time.
func nextRotation(c *v1alpha1.OIDCClient, state secretsState) time.Time {
	interval := c.RotationInterval()
	since := laterOf(state.issued.rotatedAt, time.Time{})
	if since.IsZero() {
		since = state.created
	}
	if interval == 0 || since.IsZero() || state.brought != nil {
		return time.Time{}
	}
	next := since.Add(interval - scatter(string(c.UID)+since.UTC().Format(time.RFC3339), interval/10)).Truncate(time.Second)
	if next.After(state.now) {
		return next
	}
	spread := min(interval/10, maxSpread)
	if !state.announced.IsZero() && !state.announced.After(state.now.Add(spread)) {
		return state.announced
	}
	return state.now.Add(scatter(string(c.UID), spread)).Truncate(time.Second).Add(time.Second)
}

// scatter returns a time below limit that depends on text alone.
func scatter(text string, limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(text))
	return time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(limit)) //nolint:gosec // both are positive, and the result is below limit
}
