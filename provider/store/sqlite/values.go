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

func (r *row) text() string {
	v, ok := r.values[r.next].(string)
	r.next++
	r.faulty = r.faulty || !ok
	return v
}

func (r *row) number() int64 {
	v, ok := r.values[r.next].(int64)
	r.next++
	r.faulty = r.faulty || !ok
	return v
}

func (r *row) time() time.Time {
	return time.UnixMicro(r.number()).UTC()
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
	values, err := c.queryRow(sql, args...)
	if err != nil {
		return err
	}
	if values == nil {
		return store.ErrNotFound
	}
	r := &row{values: values}
	scan(r)
	return r.err()
}
