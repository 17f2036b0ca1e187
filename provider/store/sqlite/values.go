package sqlite

import (
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

func micros(t time.Time) int64 {
	return t.UnixMicro()
}

// optionalTime is how a time that may be zero is kept.
func optionalTime(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// optionalBytes is how a handle or key that may be zero is kept.
func optionalBytes(b [32]byte) driver.Value {
	if b == [32]byte{} {
		return nil
	}
	return b[:]
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// list is how several words are kept in one column.
func list(words []string) string {
	return strings.Join(words, " ")
}

// row reads the columns of a result in order.
type row struct {
	values []driver.Value
	next   int
	faulty bool
}

func (r *row) value() driver.Value {
	r.next++
	return r.values[r.next-1]
}

func (r *row) text() string {
	v, ok := r.value().(string)
	r.faulty = r.faulty || !ok
	return v
}

func (r *row) number() int64 {
	v, ok := r.value().(int64)
	r.faulty = r.faulty || !ok
	return v
}

func (r *row) flag() bool {
	return r.number() != 0
}

func (r *row) time() time.Time {
	return time.UnixMicro(r.number()).UTC()
}

func (r *row) optionalTime() time.Time {
	if r.values[r.next] == nil {
		r.next++
		return time.Time{}
	}
	return r.time()
}

// optionalBytes reads what a handle or a key is kept as.
func (r *row) optionalBytes() (b [32]byte) {
	v := r.value()
	if v == nil {
		return b
	}
	raw, ok := v.([]byte)
	r.faulty = r.faulty || !ok || len(raw) != len(b)
	copy(b[:], raw)
	return b
}

func (r *row) list() []string {
	text := r.text()
	if text == "" {
		return nil
	}
	return strings.Split(text, " ")
}

// err tells whether a column had another type than the schema gives it.
func (r *row) err() error {
	if r.faulty {
		return errors.New("a column has an unexpected type")
	}
	return nil
}

// get runs a query for at most one row, or returns store.ErrNotFound.
func get(c *conn, sql string, scan func(*row), args ...driver.Value) error {
	found := false
	err := c.query(sql, func(values []driver.Value) error {
		found = true
		r := &row{values: values}
		scan(r)
		return r.err()
	}, args...)
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

// getAll runs a query for any number of rows.
func getAll[T any](c *conn, sql string, scan func(*row) T, args ...driver.Value) ([]T, error) {
	var all []T
	err := c.query(sql, func(values []driver.Value) error {
		r := &row{values: values}
		all = append(all, scan(r))
		return r.err()
	}, args...)
	return all, err
}
