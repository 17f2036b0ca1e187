package expression

import (
	"strconv"
	"testing"
)

// What was used last stays, what was not goes, and there is never more than that.
func TestCache(t *testing.T) {
	c := newCache()
	key := func(i int) cacheKey { return cacheKey{text: strconv.Itoa(i)} }
	first := &Program{}
	c.put(key(0), first)
	for i := 1; i < cacheSize; i++ {
		c.put(key(i), &Program{})
	}
	c.put(key(0), &Program{})
	if got, ok := c.get(key(0)); !ok || got != first {
		t.Error("a program is replaced by another of the same text")
	}
	c.put(key(cacheSize), &Program{})
	if _, ok := c.get(key(1)); ok {
		t.Error("what was not used stays")
	}
	if _, ok := c.get(key(0)); !ok {
		t.Error("what was used last is gone")
	}
	if len(c.entries) != cacheSize || c.recent.Len() != cacheSize {
		t.Errorf("there are %d and %d programs", len(c.entries), c.recent.Len())
	}
}
