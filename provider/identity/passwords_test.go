package identity_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/oidc-operator/oidc-operator/provider/identity"
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
	"github.com/oidc-operator/oidc-operator/provider/store/memory"
)

// Kinds of hashes in the tests below.
const (
	ownKind     = "$argon2id$v=19$m=8,t=1,p=1"
	foreignKind = "$argon2id$v=19$m=16,t=1,p=1"
	bcryptKind  = "$2b$04"
)

// office is a directory with hashes from everywhere, and the work that is done for it.
type office struct {
	people
	local *identity.Local
	store *memory.Store

	mu   sync.Mutex
	done []string // the kinds of the hashes that were computed
}

func newOffice(t *testing.T) *office {
	t.Helper()
	old, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{store: memory.New(), people: people{
		"ada":     {Subject: "1", Username: "ada", PasswordHash: hashOf(ownKind, "secret")},
		"bert":    {Subject: "2", Username: "bert", PasswordHash: string(old)},
		"foreign": {Subject: "3", Username: "foreign", PasswordHash: hashOf(foreignKind, "secret")},
		"off":     {Subject: "4", Username: "off", PasswordHash: string(old), Disabled: true},
		"none":    {Subject: "5", Username: "none"},
	}}
	o.local = identity.NewLocal(identity.LocalOptions{
		Directory: o, Passwords: o.store, Pool: identity.NewPool(2, 0), Now: time.Now,
		Hash: func(password string) string { return hashOf(ownKind, password) },
		Check: func(hash, password string) bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.done = append(o.done, registration.HashKind(hash))
			kind := registration.HashKind(hash)
			return registration.CheckPassword(hash, password) || kind != bcryptKind && hash == hashOf(kind, password)
		},
	})
	return o
}

// hashOf makes what looks like a hash of a kind, without the work.
func hashOf(kind, password string) string {
	sum := registration.HashSecret(password)
	return kind + "$c2FsdHNhbHQ$" + strings.NewReplacer("-", "+", "_", "/").Replace(sum[len(sum)-43:])
}

// work returns the kinds of hashes that a login computes.
func (o *office) work(t *testing.T, username, password string, want error) []string {
	t.Helper()
	o.done = nil
	if _, err := o.local.Authenticate(t.Context(), username, password); !errors.Is(err, want) {
		t.Fatalf("%s: %v, want %v", username, err, want)
	}
	slices.Sort(o.done)
	return o.done
}

// Whoever is rejected has cost the same work, whatever kind their hash is of: otherwise the time would tell who exists.
func TestRejectionIsTheSameWork(t *testing.T) {
	o := newOffice(t)
	want := []string{bcryptKind, foreignKind, ownKind}
	slices.Sort(want)
	check := func(when string) {
		t.Helper()
		for _, username := range []string{"ada", "bert", "foreign", "off", "none", "nobody", "", "ADA"} {
			if got := o.work(t, username, "wrong", identity.ErrRejected); !slices.Equal(got, want) {
				t.Errorf("%s: %q computes %v, want %v", when, username, got, want)
			}
		}
	}
	check("before")
	for _, username := range []string{"ada", "bert", "foreign"} {
		o.work(t, username, "secret", nil)
	}
	check("after everybody has logged in")
	delete(o.people, "foreign")
	want = slices.DeleteFunc(want, func(kind string) bool { return kind == foreignKind })
	check("without the foreign hash") // no work for what is not there

	// A password that was chosen when new ones were hashed in another way.
	user := o.people["ada"]
	chosen := store.Password{Subject: user.Subject, Hash: hashOf(foreignKind, "older"), Replaces: identity.Credential(user)}
	if err := o.store.PutPassword(t.Context(), chosen); err != nil {
		t.Fatal(err)
	}
	o.work(t, "ada", "wrong", identity.ErrRejected)
	want = append(want, foreignKind)
	slices.Sort(want)
	check("with an older hash of a chosen password")
}

// A right password costs one hash; one from elsewhere is hashed anew once, and the registered hash is good for nothing then.
func TestHashesFromElsewhereAreRenewed(t *testing.T) {
	o := newOffice(t)
	for username, kind := range map[string]string{"ada": ownKind, "bert": bcryptKind, "foreign": foreignKind} {
		for round, want := range []string{kind, ownKind, ownKind} {
			if got := o.work(t, username, "secret", nil); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: login %d computes %v, want %s", username, round+1, got, want)
			}
		}
		o.work(t, username, "wrong", identity.ErrRejected)
	}
	if _, err := o.store.Password(t.Context(), "1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a hash of our own was renewed: %v", err)
	}
	o.people["bert"].PasswordHash = hashOf(foreignKind, "of the administrator")
	o.work(t, "bert", "secret", identity.ErrRejected)
	o.work(t, "bert", "of the administrator", nil)
}

func TestChangePassword(t *testing.T) {
	o := newOffice(t)
	user := o.people["bert"]
	if err := o.local.ChangePassword(t.Context(), user, "wrong", "new"); !errors.Is(err, identity.ErrRejected) {
		t.Fatalf("with a wrong password: %v", err)
	}
	if err := o.local.ChangePassword(t.Context(), o.people["none"], "", "new"); !errors.Is(err, identity.ErrRejected) {
		t.Fatalf("without a password: %v", err)
	}
	if err := o.local.ChangePassword(t.Context(), user, "secret", "new"); err != nil {
		t.Fatal(err)
	}
	o.work(t, "bert", "secret", identity.ErrRejected)
	o.work(t, "bert", "new", nil)
	// An administrator who sets another password wins, and one who sets the same hash again has changed nothing.
	before := user.PasswordHash
	user.PasswordHash = hashOf(ownKind, "of the administrator")
	o.work(t, "bert", "new", identity.ErrRejected)
	o.work(t, "bert", "of the administrator", nil)
	user.PasswordHash = before
	o.work(t, "bert", "new", nil)
	user.PasswordHash = ""
	o.work(t, "bert", "new", identity.ErrRejected)
}

// While a password is being changed, a login with the old one must not hash that anew and so bring it back.
func TestRenewalGivesWayToAChange(t *testing.T) {
	o := newOffice(t)
	now := time.Now()
	if err := o.store.UseOnce(t.Context(), store.HandleOf("password of 2"), now, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	o.work(t, "bert", "secret", nil)
	if _, err := o.store.Password(t.Context(), "2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the old password was stored: %v", err)
	}
	if err := o.local.ChangePassword(t.Context(), o.people["bert"], "secret", "new"); !errors.Is(err, identity.ErrBusy) {
		t.Errorf("two changes at a time: %v", err)
	}
}

// What is longer than any password may be is compared like any other: failures that cost nothing could be counted up in no time.
func TestLongPasswordsAreTheSameWork(t *testing.T) {
	o := newOffice(t)
	for _, username := range []string{"ada", "bert", "off", "nobody"} {
		want := o.work(t, username, "wrong", identity.ErrRejected)
		for _, length := range []int{registration.MaxPasswordBytes + 1, 64 << 10} {
			if got := o.work(t, username, strings.Repeat("\u00e9", length), identity.ErrRejected); !slices.Equal(got, want) {
				t.Errorf("%d characters for %q compute %v, want %v", length, username, got, want)
			}
		}
	}
}

// A password is the same however its characters were put together (RFC 8265), also where its hash was made of another form; then
// it is hashed anew, once.
func TestPasswordsInTwoForms(t *testing.T) {
	const composed, decomposed = "gr\u00fc\u00dfe", "gru\u0308\u00dfe"
	o := newOffice(t)
	o.people["ada"].PasswordHash = hashOf(ownKind, composed)
	o.people["old"] = &registration.User{Subject: "6", Username: "old", PasswordHash: hashOf(ownKind, decomposed)}
	for _, typed := range []string{composed, decomposed} {
		if got := o.work(t, "ada", typed, nil); !slices.Equal(got, []string{ownKind}) {
			t.Errorf("%q computes %v", typed, got)
		}
	}
	if _, err := o.store.Password(t.Context(), "1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing was to be hashed anew: %v", err)
	}
	if got := o.work(t, "old", decomposed, nil); !slices.Equal(got, []string{ownKind, ownKind}) {
		t.Errorf("the old hash computes %v", got)
	}
	for _, typed := range []string{composed, decomposed} {
		if got := o.work(t, "old", typed, nil); !slices.Equal(got, []string{ownKind}) {
			t.Errorf("later %q computes %v", typed, got)
		}
	}
	known, unknown := o.work(t, "ada", "fu\u0308r", identity.ErrRejected), o.work(t, "nobody", "fu\u0308r", identity.ErrRejected)
	if !slices.Equal(known, unknown) {
		t.Errorf("rejecting computes %v and %v", known, unknown)
	}
	// A choice is kept in the prepared form.
	if err := o.local.ChangePassword(t.Context(), o.people["ada"], decomposed, "neu\u0308"); err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{"ne\u00fc", "neu\u0308"} {
		if got := o.work(t, "ada", typed, nil); !slices.Equal(got, []string{ownKind}) {
			t.Errorf("after the change %q computes %v", typed, got)
		}
	}
}
