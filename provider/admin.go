package provider

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// startPatience is how long /startupz waits, and startPoll how often it looks meanwhile.
	startPatience, startPoll = 20 * time.Second, 20 * time.Millisecond
	// scrapes is how many answers of /metrics are made at a time.
	scrapes = 4
)

// ErrStarting is what AdminHandler's ready returns before there is a Provider.
var ErrStarting = errors.New("starting")

// AdminHandler serves /healthz, /readyz, /startupz and /metrics with what gatherer holds. It belongs on a port of its own that only
// the cluster can reach. ready is Provider.Ready, or what stands in for it before there is a Provider.
//
// /startupz answers when ready does, and after 20 seconds in any case: a startup probe that asks it once learns at once that the
// provider is ready, and no probe ever fails because it came too early.
func AdminHandler(gatherer prometheus.Gatherer, ready func() error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok") // an error means that nobody is there any more
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok") // see above
	})
	mux.HandleFunc("GET /startupz", func(w http.ResponseWriter, r *http.Request) {
		patience, poll := time.NewTimer(startPatience), time.NewTicker(startPoll)
		defer patience.Stop()
		defer poll.Stop()
		for ready() != nil {
			select {
			case <-poll.C:
			case <-patience.C:
				_, _ = fmt.Fprintln(w, "started, but not ready; /readyz tells why") // see above
				return
			case <-r.Context().Done():
				return
			}
		}
		_, _ = fmt.Fprintln(w, "ok") // see above
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes}))
	return mux
}
