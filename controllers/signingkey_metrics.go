package controllers

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// scrapeTimeout bounds how long a scrape waits for a cache that is not filled yet.
const scrapeTimeout = 5 * time.Second

// signingKeyMetrics tells how old the active keys are and when others follow. It reads the cache when it is asked, so that
// it has nothing to forget when a SigningKey goes.
type signingKeyMetrics struct {
	client              client.Reader
	activeSince, rotate *prometheus.Desc
}

func newSigningKeyMetrics(reader client.Reader) *signingKeyMetrics {
	labels := []string{"namespace", "signingkey", "algorithm"}
	return &signingKeyMetrics{
		client: reader,
		activeSince: prometheus.NewDesc("oidc_operator_signing_key_active_since_timestamp_seconds",
			"When the active key of a SigningKey began to sign.", labels, nil),
		rotate: prometheus.NewDesc("oidc_operator_signing_key_next_rotation_timestamp_seconds",
			"When another key of a SigningKey is to begin to sign, where that is known.", labels, nil),
	}
}

// Describe is that of a prometheus.Collector.
func (m *signingKeyMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.activeSince
	ch <- m.rotate
}

// Collect is that of a prometheus.Collector.
func (m *signingKeyMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	list := &v1alpha1.SigningKeyList{}
	if err := m.client.List(ctx, list); err != nil {
		ch <- prometheus.NewInvalidMetric(m.activeSince, err)
		return
	}
	send := func(desc *prometheus.Desc, at *metav1.Time, k *v1alpha1.SigningKey) {
		if at != nil {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(at.Unix()), k.Namespace, k.Name, k.Algorithm())
		}
	}
	for i := range list.Items {
		k := &list.Items[i]
		for _, key := range k.Status.Keys {
			if key.Phase == string(registration.PhaseActive) {
				send(m.activeSince, key.ActivatedAt, k)
			}
		}
		send(m.rotate, k.Status.NextRotationTime, k)
	}
}
