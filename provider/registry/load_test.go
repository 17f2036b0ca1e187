package registry_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/registry"
)

// Readers must find a client at any moment while others come and go and everything is replaced.
func TestIndexReadersSeeNoGapWhileDocumentsChange(t *testing.T) {
	x, _ := newIndex(t)
	run(x, []step{{kindClient, "stays", client("stays")}, {kindUser, "ada", user("ada", "1")}})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, okClient := x.Client("stays")
				_, okUser := x.UserByName("ada")
				if !okClient || !okUser {
					t.Error("what stays registered was not found")
					return
				}
			}
		})
	}
	for i := range 200 {
		run(x, []step{{kindClient, "other", client(fmt.Sprint("other-", i))}})
		x.ReplaceAll([]registry.Document{
			{Kind: kindClient, Name: "stays", Data: client("stays", func(c *registration.Client) { c.ClientName = fmt.Sprint(i) })},
			{Kind: kindUser, Name: "ada", Data: user("ada", "1")},
		})
	}
	close(stop)
	readers.Wait()
}

func TestIndexReadsAllocateNothing(t *testing.T) {
	x, _ := newIndex(t)
	run(x, []step{{kindClient, "a", client("app")}, {kindUser, "ada", user("ada", "1")}})
	allocs := testing.AllocsPerRun(1000, func() {
		x.Client("app")
		x.UserByName("ada")
		x.UserBySubject("1")
		x.Keys()
		x.Settings()
	})
	if allocs != 0 {
		t.Errorf("reading allocates %v times; want 0", allocs)
	}
}

func TestIndexOf10000ClientsIsSmall(t *testing.T) {
	const count, limit = 10_000, 30 << 20
	x, _ := newIndex(t)
	before := heap()
	docs := make([]registry.Document, 0, count)
	for i := range count {
		docs = append(docs, registry.Document{Kind: kindClient, Name: fmt.Sprintf("namespace.app-%d", i), Data: client(fmt.Sprintf("app-%d", i))})
	}
	x.ReplaceAll(docs)
	docs = nil
	used := heap() - before
	t.Logf("%d clients take %.1f MiB", x.Counts().Clients, float64(used)/(1<<20))
	if x.Counts().Clients != count || used > limit {
		t.Errorf("%d clients take %d bytes; want %d clients in at most %d bytes", x.Counts().Clients, used, count, limit)
	}
	runtime.KeepAlive(docs)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkIndexClient(b *testing.B) {
	x, _ := newIndex(b)
	run(x, []step{{kindClient, "a", client("app")}})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			x.Client("app")
		}
	})
}

func BenchmarkIndexUpsert(b *testing.B) {
	for _, size := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("among-%d", size), func(b *testing.B) {
			x, _ := newIndex(b)
			for i := range size {
				run(x, []step{{kindClient, fmt.Sprint("c", i), client(fmt.Sprint("app-", i))}})
			}
			versions := [][]byte{client("app-1"), client("app-1", func(c *registration.Client) { c.ClientName = "changed" })}
			for i := 0; b.Loop(); i++ {
				run(x, []step{{kindClient, "c1", versions[i%2]}})
			}
		})
	}
}
