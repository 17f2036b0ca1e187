package registry

import (
	"slices"
	"strings"
)

// maxKeys is the largest number of keys by which one kind of document is found.
const maxKeys = 2

// parsed is a document as it was read.
type parsed[D any] struct {
	doc *D
	// sum tells, without keeping the text, whether another text is the same.
	sum uint64
}

type entry[D any] struct {
	parsed[D]
	name string
	// shadowedBy names the document that comes first; empty when this one is in force.
	shadowedBy string
}

// table holds the valid documents of one kind and finds those in force by their keys. A document is in force when it is
// the first by name of all that have its key, for each of its keys. This depends on nothing but which documents
// there are, and a change touches only the documents that share a key with the changed one.
type table[D any] struct {
	keysOf  func(*D) [maxKeys]string
	byName  map[string]*entry[D]
	byKey   []map[string][]*entry[D]
	inForce int
}

func newTable[D any](keyCount int, keysOf func(*D) [maxKeys]string) *table[D] {
	t := &table[D]{keysOf: keysOf, byName: map[string]*entry[D]{}}
	for range keyCount {
		t.byKey = append(t.byKey, map[string][]*entry[D]{})
	}
	return t
}

func (t *table[D]) find(position int, key string) (*D, bool) {
	claimants := t.byKey[position][key]
	if len(claimants) == 0 || claimants[0].shadowedBy != "" {
		return nil, false
	}
	return claimants[0].doc, true
}

func (t *table[D]) shadowed() int {
	return len(t.byName) - t.inForce
}

// conflict tells that a valid document is not in force, because an earlier one has its key.
type conflict struct{ name, other string }

// put stores a document in place of any earlier version and returns the conflicts that are new.
func (t *table[D]) put(name string, p parsed[D]) []conflict {
	e := &entry[D]{parsed: p, name: name}
	affected := [][maxKeys]string{t.keysOf(p.doc)}
	if old, ok := t.byName[name]; ok {
		e.shadowedBy = old.shadowedBy
		affected = append(affected, t.detach(old))
	}
	t.attach(e)
	return t.settle(affected...)
}

// remove forgets a document and returns the conflicts that are new.
func (t *table[D]) remove(name string) []conflict {
	e, ok := t.byName[name]
	if !ok {
		return nil
	}
	return t.settle(t.detach(e))
}

func (t *table[D]) attach(e *entry[D]) {
	t.byName[e.name] = e
	if e.shadowedBy == "" {
		t.inForce++
	}
	keys := t.keysOf(e.doc)
	for i := range t.byKey {
		claimants := t.byKey[i][keys[i]]
		at, _ := slices.BinarySearchFunc(claimants, e.name, func(c *entry[D], name string) int {
			return strings.Compare(c.name, name)
		})
		t.byKey[i][keys[i]] = slices.Insert(claimants, at, e)
	}
}

func (t *table[D]) detach(e *entry[D]) [maxKeys]string {
	delete(t.byName, e.name)
	if e.shadowedBy == "" {
		t.inForce--
	}
	keys := t.keysOf(e.doc)
	for i := range t.byKey {
		rest := slices.DeleteFunc(t.byKey[i][keys[i]], func(c *entry[D]) bool { return c == e })
		if len(rest) == 0 {
			delete(t.byKey[i], keys[i])
			continue
		}
		t.byKey[i][keys[i]] = rest
	}
	return keys
}

// settle decides anew which of the documents that have one of these keys are in force.
func (t *table[D]) settle(affected ...[maxKeys]string) []conflict {
	var conflicts []conflict
	for _, keys := range affected {
		for i := range t.byKey {
			for _, e := range t.byKey[i][keys[i]] {
				if c, changed := t.settleOne(e); changed && c.other != "" {
					conflicts = append(conflicts, c)
				}
			}
		}
	}
	return conflicts
}

func (t *table[D]) settleOne(e *entry[D]) (c conflict, changed bool) {
	before := e.shadowedBy
	e.shadowedBy = ""
	keys := t.keysOf(e.doc)
	for i := range t.byKey {
		if first := t.byKey[i][keys[i]][0]; first != e {
			e.shadowedBy = first.name
			break
		}
	}
	switch {
	case before == "" && e.shadowedBy != "":
		t.inForce--
	case before != "" && e.shadowedBy == "":
		t.inForce++
	}
	return conflict{name: e.name, other: e.shadowedBy}, before != e.shadowedBy
}
