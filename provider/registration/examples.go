package registration

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc/expression"
)

// maxExampleFaults is how many examples that do not hold are named.
const maxExampleFaults = 3

// tried are the results of tryExamples. A client is validated at each look at it, its examples change with its manifest.
var tried = exampleResults{byDigest: map[[sha256.Size]byte][]error{}}

// exampleResults saves work and nothing else: examples whose result is not in it are evaluated again.
type exampleResults struct {
	mu       sync.Mutex
	byDigest map[[sha256.Size]byte][]error
}

// exampleResultsKept bounds them, at about 100 bytes each where all examples hold.
const exampleResultsKept = 16384

func (r *exampleResults) of(digest [sha256.Size]byte, evaluate func() []error) []error {
	r.mu.Lock()
	known, ok := r.byDigest[digest]
	r.mu.Unlock()
	if ok {
		return known
	}
	errs := evaluate()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byDigest) >= exampleResultsKept {
		for some := range maps.Keys(r.byDigest) { // whichever
			delete(r.byDigest, some)
			break
		}
	}
	r.byDigest[digest] = errs
	return errs
}

// tryExamples evaluates every example, once for each version of the expressions and examples.
func (c *Client) tryExamples() []error {
	if len(c.SubjectExamples)+len(c.AccessExamples) == 0 && !c.hasClaimExamples() {
		return nil
	}
	digest, err := c.examplesDigest()
	if err != nil {
		return []error{invalid("claims", "must have examples that are JSON")}
	}
	return tried.of(digest, func() []error {
		trial := &trial{client: c}
		trial.run()
		return trial.errs
	})
}

func (c *Client) hasClaimExamples() bool {
	for i := range c.Claims {
		if len(c.Claims[i].Examples) > 0 {
			return true
		}
	}
	return false
}

// examplesDigest names everything that the results of examples depend on.
func (c *Client) examplesDigest() (sum [sha256.Size]byte, err error) {
	hash := sha256.New()
	encoder := json.NewEncoder(hash)
	for _, part := range []any{
		c.ForExpressions(), c.SubjectExpression, c.AccessRule, len(c.Claims), len(c.SubjectExamples), len(c.AccessExamples),
	} {
		if err := encoder.Encode(part); err != nil {
			return sum, fmt.Errorf("encode: %w", err)
		}
	}
	write := func(examples []Example) {
		for _, e := range examples {
			_, _ = fmt.Fprintln(hash, len(e.User), len(e.Expected), e.Now.UnixNano(), e.Now.IsZero())
			_, _ = hash.Write(e.User)
			_, _ = hash.Write(e.Expected)
		}
	}
	for _, claim := range c.Claims {
		_, _ = fmt.Fprintf(hash, "%q %q %d\n", claim.Name, claim.Expression, len(claim.Examples))
		write(claim.Examples)
	}
	write(c.SubjectExamples)
	write(c.AccessExamples)
	hash.Sum(sum[:0])
	return sum, nil
}

// trial evaluates the examples of a client.
type trial struct {
	client *Client
	spent  uint64
	errs   []error
}

func (t *trial) run() {
	c := t.client
	for i, claim := range c.Claims {
		t.try(index("claims", i)+".examples", claim.Examples, func(in *expression.Input) (json.RawMessage, error) {
			return c.EvaluateClaim(i, in)
		})
	}
	t.try("subject_examples", c.SubjectExamples, func(in *expression.Input) (json.RawMessage, error) {
		subject, err := c.EvaluateSubject(in)
		switch {
		case err != nil:
			return nil, err
		case subject == "":
			return nil, nil
		case !ValidSubject(subject):
			return nil, fmt.Errorf("%q cannot be a subject, which is 1 to 255 printable ASCII characters without spaces", subject)
		}
		return json.Marshal(subject)
	})
	t.try("access_examples", c.AccessExamples, func(in *expression.Input) (json.RawMessage, error) {
		allowed, err := c.EvaluateAccess(in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(allowed)
	})
}

// exampleNow is the time in examples that name none.
func exampleNow() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func (t *trial) try(field string, examples []Example, evaluate func(*expression.Input) (json.RawMessage, error)) {
	if len(examples) > maxExamples {
		t.errs = append(t.errs, invalid(field, "must be at most %d", maxExamples))
		return
	}
	for i, example := range examples {
		if len(t.errs) >= maxExampleFaults || t.spent > maxExamplesCost {
			return // told already
		}
		if len(example.User)+len(example.Expected) > MaxExampleBytes {
			t.errs = append(t.errs, invalid(index(field, i), "must be at most %d bytes long", MaxExampleBytes))
			continue
		}
		user, err := expression.ParseUser(example.User)
		if err != nil {
			t.errs = append(t.errs, invalid(index(field, i)+".user", "%s", err))
			continue
		}
		now := example.Now
		if now.IsZero() {
			now = exampleNow()
		}
		in := t.client.ExpressionInput(user, now)
		got, err := evaluate(in)
		if fault := compare(example.Expected, got, err); fault != "" {
			t.errs = append(t.errs, invalid(index(field, i), "%s", fault))
		}
		if t.spent += in.Cost(); t.spent > maxExamplesCost {
			t.errs = append(t.errs, invalid(index(field, i), "costs too much together with those before it (%d units of %d): "+
				"write fewer examples, or of people with less", t.spent, maxExamplesCost))
		}
	}
}
