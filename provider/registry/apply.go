package registry

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/keys"
	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// Document is a registration document as a source finds it.
type Document struct {
	Kind registration.Kind
	// Name tells the document from others of its kind: the name of a Secret or file.
	Name string
	// Owner becomes registration.Client.Owner.
	Owner string
	// Data is the JSON text. It is not kept.
	Data []byte
}

type docID struct {
	kind registration.Kind
	name string
}

// Upsert puts a document in force in place of its earlier version. It returns an error when the document cannot be used,
// after having done and logged what doc.go says about such documents; there is nothing left to do for the caller.
// The cost does not depend on how much is registered, signing keys apart.
func (x *Index) Upsert(kind registration.Kind, name string, data []byte) error {
	return x.Put(Document{Kind: kind, Name: name, Data: data})
}

// Put is Upsert for a document with an owner.
func (x *Index) Put(d Document) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	c := x.read(d)
	x.commit([]change{c})
	return c.err
}

// Remove withdraws a document. Nothing happens when there is none.
func (x *Index) Remove(kind registration.Kind, name string) {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.commit([]change{{docID: docID{kind, name}, gone: true}})
}

// ReplaceAll makes docs all that is registered, at one moment for readers. Documents that are unchanged cost no parsing.
// Faults are logged, as by Upsert.
func (x *Index) ReplaceAll(docs []Document) {
	x.writing.Lock()
	defer x.writing.Unlock()
	found := make(map[docID]bool, len(docs))
	for _, d := range docs {
		found[docID{d.Kind, d.Name}] = true
	}
	// What is gone goes first, so that a document that only changed its name does not conflict with itself.
	changes := make([]change, 0, len(docs))
	for _, id := range x.names() {
		if !found[id] {
			changes = append(changes, change{docID: id, gone: true})
		}
	}
	for _, d := range docs {
		changes = append(changes, x.read(d))
	}
	x.commit(changes)
}

// names lists every document that the index knows, also those it refused.
func (x *Index) names() []docID {
	var ids []docID
	for name := range x.clients.byName {
		ids = append(ids, docID{registration.KindClient, name})
	}
	for name := range x.users.byName {
		ids = append(ids, docID{registration.KindUser, name})
	}
	for name := range x.signingKeys {
		ids = append(ids, docID{registration.KindSigningKey, name})
	}
	for name := range x.settings {
		ids = append(ids, docID{registration.KindSettings, name})
	}
	for id := range x.refused {
		ids = append(ids, id)
	}
	return ids
}

// change is what one document asks for. At most one of the documents is set; none when nothing is to be done or err or gone is set.
type change struct {
	docID
	sum        uint64
	client     *registration.Client
	user       *registration.User
	signingKey *registration.SigningKey
	settings   *registration.Settings
	gone       bool
	err        error
}

// read parses a document, unless its very text was read before.
func (x *Index) read(d Document) change {
	c := change{docID: docID{d.Kind, d.Name}, sum: maphash.Bytes(x.seed, d.Data)}
	if r, ok := x.refused[c.docID]; ok && r.sum == c.sum {
		c.err = r.err
		return c
	}
	if x.unchanged(c) {
		return c
	}
	switch d.Kind {
	case registration.KindClient:
		if c.client, c.err = registration.Parse[registration.Client](d.Data); c.err == nil {
			c.client.Owner = intern(d.Owner)
			internClient(c.client)
		}
	case registration.KindUser:
		if c.user, c.err = registration.Parse[registration.User](d.Data); c.err == nil {
			internUser(c.user)
		}
	case registration.KindSigningKey:
		c.signingKey, c.err = registration.Parse[registration.SigningKey](d.Data)
	case registration.KindSettings:
		c.settings, c.err = registration.Parse[registration.Settings](d.Data)
	default:
		c.err = fmt.Errorf("kind %q is not known", d.Kind)
	}
	return c
}

// unchanged tells whether the very text is in force already.
func (x *Index) unchanged(c change) bool {
	if _, refused := x.refused[c.docID]; refused {
		return false
	}
	switch c.kind {
	case registration.KindClient:
		e, ok := x.clients.byName[c.name]
		return ok && e.sum == c.sum
	case registration.KindUser:
		e, ok := x.users.byName[c.name]
		return ok && e.sum == c.sum
	case registration.KindSigningKey:
		p, ok := x.signingKeys[c.name]
		return ok && p.sum == c.sum
	case registration.KindSettings:
		p, ok := x.settings[c.name]
		return ok && p.sum == c.sum
	}
	return false
}

// commit makes changes visible together and logs what is wrong with them.
func (x *Index) commit(changes []change) {
	var reports []report
	var keysChanged bool
	x.mu.Lock()
	for _, c := range changes {
		reports = append(reports, x.refused.note(c)...)
		switch c.kind {
		case registration.KindClient:
			if e, ok := x.clients.byName[c.name]; ok {
				x.appIDs.remove(c.name, e.doc)
			}
			reports = append(reports, x.clients.apply(c, c.client)...)
			if e, ok := x.clients.byName[c.name]; ok {
				x.appIDs.add(c.name, e.doc)
			}
		case registration.KindUser:
			x.countHashKind(c.name, -1)
			x.noteEmail(c.name, false)
			reports = append(reports, x.users.apply(c, c.user)...)
			x.countHashKind(c.name, 1)
			x.noteDisabled(c.name)
			x.noteEmail(c.name, true)
		case registration.KindSigningKey:
			keysChanged = applyLastGood(x.signingKeys, c, c.signingKey) || keysChanged
		case registration.KindSettings:
			if applyLastGood(x.settings, c, c.settings) {
				x.chooseSettings()
			}
		}
	}
	x.mu.Unlock()
	if keysChanged {
		reports = append(reports, x.rebuildKeys()...)
	}
	x.log(reports)
}

// countHashKind adds to the count of the kind of a user's password hash, if there is such a user.
func (x *Index) countHashKind(name string, by int) {
	e, ok := x.users.byName[name]
	if !ok || e.doc.PasswordHash == "" {
		return
	}
	kind := registration.HashKind(e.doc.PasswordHash)
	if x.hashKinds[kind] += by; x.hashKinds[kind] == 0 {
		delete(x.hashKinds, kind)
	}
}

// noteDisabled remembers whether there is such a user who is disabled.
func (x *Index) noteDisabled(name string) {
	if e, ok := x.users.byName[name]; ok && e.doc.Disabled {
		x.disabled[name] = true
	} else {
		delete(x.disabled, name)
	}
}

// apply withdraws a document that is gone or invalid and stores any other.
func (t *table[D]) apply(c change, doc *D) []report {
	var conflicts []conflict
	switch {
	case c.gone, c.err != nil:
		conflicts = t.remove(c.name)
	case doc != nil:
		conflicts = t.put(c.name, parsed[D]{doc: doc, sum: c.sum})
	}
	var reports []report
	for _, k := range conflicts {
		reports = append(reports, report{docID: docID{c.kind, k.name}, err: fmt.Errorf("%q comes first and has the same key", k.other)})
	}
	return reports
}

// applyLastGood removes a document that is gone, leaves one whose new version is invalid, and stores any other.
func applyLastGood[D any](docs map[string]parsed[D], c change, doc *D) (changed bool) {
	switch {
	case c.gone:
		_, changed = docs[c.name]
		delete(docs, c.name)
	case doc != nil:
		docs[c.name] = parsed[D]{doc: doc, sum: c.sum}
		changed = true
	}
	return changed
}

func (x *Index) chooseSettings() {
	s := registration.Settings{}
	if len(x.settings) > 0 {
		s = *x.settings[slices.Min(slices.Collect(maps.Keys(x.settings)))].doc
	}
	s = s.WithDefaults()
	x.effective.Store(&s)
}

// rebuildKeys makes the key set anew. The old one stays where that fails.
func (x *Index) rebuildKeys() []report {
	docs := make([]registration.SigningKey, 0, len(x.signingKeys))
	count := 0
	for _, name := range slices.Sorted(maps.Keys(x.signingKeys)) {
		doc := x.signingKeys[name].doc
		docs = append(docs, *doc)
		count += len(doc.Keys)
	}
	set, err := keys.NewSet(docs)
	if err != nil {
		return []report{{docID: docID{kind: registration.KindSigningKey}, err: fmt.Errorf("make key set: %w", err)}}
	}
	x.keySet.Store(set)
	x.keyCount.Store(int64(count))
	return nil
}
