package expression

import (
	"container/list"
	"sync"
)

// cacheSize is how many programs are kept for texts that come again: thousands of clients with one preset have the same few
// expressions, and the operator looks at each client more than once.
const cacheSize = 512

// compiled saves work and memory and nothing else: what is not in it is compiled again.
var compiled = &cache{entries: map[cacheKey]*list.Element{}, recent: list.New()}

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
