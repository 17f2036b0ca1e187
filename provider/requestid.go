package provider

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// requestIDs makes names for requests, by which a person's error page and the log find each other. They are unique, not
// secret: a random part of the process and a number.
type requestIDs struct {
	prefix string
	count  *atomic.Uint64
}

func newRequestIDs() requestIDs {
	return requestIDs{prefix: strings.ToLower(rand.Text()[:10]) + "-", count: &atomic.Uint64{}}
}

func (ids requestIDs) next() string {
	return ids.prefix + strconv.FormatUint(ids.count.Add(1), 36)
}

// requestID returns the name of the request that w answers.
func requestID(w http.ResponseWriter) string {
	return w.Header().Get("X-Request-Id")
}
