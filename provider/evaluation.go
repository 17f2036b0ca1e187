package provider

import (
	"hash/maphash"
	"runtime"
	"sync"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// evaluations takes turns at evaluating the expressions of clients, which their authors decide the cost of: half of the cores at most,
// and one client once at a time, so that the requests of one, however many and however dear, wait for each other first.
type evaluations struct {
	slots chan struct{}
	seed  maphash.Seed
	// clients are shared by those of equal hashes: they wait for each other, too.
	clients [256]sync.Mutex
}

func newEvaluations() *evaluations {
	return &evaluations{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), seed: maphash.MakeSeed()}
}

// do runs f when it is the client's turn.
func (e *evaluations) do(client *registration.Client, f func()) {
	turn := &e.clients[maphash.String(e.seed, client.ClientID)%uint64(len(e.clients))]
	turn.Lock()
	defer turn.Unlock()
	e.slots <- struct{}{}
	defer func() { <-e.slots }()
	f()
}
