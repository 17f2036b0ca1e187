package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
)

// conn is one connection to the database with its prepared statements. It is used by one goroutine at a time.
type conn struct {
	raw        driver.Conn
	statements map[string]*statement
}

// statement is a prepared statement and the memory that its calls share.
type statement struct {
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	stmt  driver.Stmt
	args  []driver.NamedValue
	row   []driver.Value
}

// dsn names the database for the driver. Its pragmas hold for the connection only.
func dsn(path string, pragmas ...string) string {
	query := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}
	return u.String()
}

func connect(dsn string) (*conn, error) {
	raw, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &conn{raw: raw, statements: map[string]*statement{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.stmt.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// prepare returns the prepared statement of a text, made at its first use so that opening stays quick.
func (c *conn) prepare(sql string) (*statement, error) {
	if s, ok := c.statements[sql]; ok {
		return s, nil
	}
	stmt, err := c.raw.Prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	s := &statement{stmt: stmt}
	var okExec, okQuery bool
	s.exec, okExec = stmt.(driver.StmtExecContext)
	s.query, okQuery = stmt.(driver.StmtQueryContext)
	if !okExec || !okQuery {
		return nil, errors.New("prepare: the driver's statements take no context")
	}
	c.statements[sql] = s
	return s, nil
}

func (s *statement) bind(args []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, v := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

// exec runs a statement that returns no rows and tells how many it changed. Statements run to their end, whatever becomes of the
// caller: they take microseconds, and watching a context costs a goroutine each.
func (c *conn) exec(sql string, args ...driver.Value) (changed int64, err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	result, err := s.exec.ExecContext(context.Background(), s.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query hands each row of a result to scan. The values are good until scan returns.
func (c *conn) query(sql string, scan func([]driver.Value) error, args ...driver.Value) (err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.query.QueryContext(context.Background(), s.bind(args))
	if err != nil {
		return err
	}
	// Closing ends the read transaction: without it the next query would see an old state.
	defer func() { err = errors.Join(err, rows.Close()) }()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		switch err := rows.Next(s.row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := scan(s.row); err != nil {
			return err
		}
	}
}
