// Package measured tells how long storage takes and how often it fails, by method, in Prometheus metrics and, where they are
// wanted, in OpenTelemetry spans. Neither says what was stored or looked for.
package measured
