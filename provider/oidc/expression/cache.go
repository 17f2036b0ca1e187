package expression

import (
	"container/list"
	"sync"
)

// cacheSize is how many programs are kept: those that were evaluated or compiled last. A program takes 2 to 5 KiB, so that ten
// thousand clients with expressions of their own cost no more memory than these; who logs in to one that nobody has used for
// long waits a fraction of a millisecond longer. Thousands of clients with one preset have the same few expressions.
const cacheSize = 2048

// compiled saves work and memory and nothing else: what is not in it is compiled again.
var compiled = newCache()

type cacheKey struct {
	text string
	kind Kind
}

type cacheEntry struct {
	key     cacheKey
	program *Program
}

// cache keeps the programs that were asked for last.
type cache struct {
	mu      sync.Mutex
	entries map[cacheKey]*list.Element
	recent  *list.List // of *cacheEntry, the latest first
}

func newCache() *cache {
	return &cache{entries: map[cacheKey]*list.Element{}, recent: list.New()}
}

func (c *cache) get(key cacheKey) (*Program, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(element)
	return element.Value.(*cacheEntry).program, true
}

func (c *cache) put(key cacheKey, program *Program) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok { // somebody else was faster
		return
	}
	c.entries[key] = c.recent.PushFront(&cacheEntry{key, program})
	if c.recent.Len() > cacheSize {
		oldest := c.recent.Remove(c.recent.Back()).(*cacheEntry)
		delete(c.entries, oldest.key)
	}
}
