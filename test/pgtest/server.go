package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL that belongs to one test.
type Server struct {
	bin, dir, password string
	account            *syscall.Credential
	databases          atomic.Int64
	// exited is closed when the process that runs now has ended; nil when none runs.
	exited chan struct{}
	pid    int
	// address is where it listens besides its socket, or "".
	address string
}

const (
	startTimeout = 2 * time.Minute
	stopTimeout  = time.Minute
)

// New starts a server that ends with the test. The test fails when the programs are not installed.
func New(t testing.TB) *Server {
	t.Helper()
	return newServer(t, "")
}

// NewOn starts a server that listens on a free port of an IP address of this machine, for clients in containers.
func NewOn(t testing.TB, ip string) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return newServer(t, listener.Addr().String())
}

func newServer(t testing.TB, address string) *Server {
	t.Helper()
	s, err := open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Open starts a server for programs that are not tests. Close ends it.
func Open() (*Server, error) { return open("") }

func open(address string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for PostgreSQL: %w", err)
	}
	s := &Server{bin: bin, dir: dir, password: rand.Text(), account: account, address: address}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// create makes a cluster. Making it need not survive a power cut.
func (s *Server) create() error {
	passwordFile := filepath.Join(s.dir, "password")
	if err := os.WriteFile(passwordFile, []byte(s.password), 0o600); err != nil {
		return fmt.Errorf("write PostgreSQL's password: %w", err)
	}
	if s.account != nil {
		for _, path := range []string{s.dir, passwordFile} {
			if err := os.Chown(path, int(s.account.Uid), int(s.account.Gid)); err != nil {
				return fmt.Errorf("give PostgreSQL its directory: %w", err)
			}
		}
	}
	initdb := s.command("initdb", "--pgdata", s.data(), "--username", "postgres", "--pwfile", passwordFile, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLine(string(out)))
	}
	if s.address == "" {
		return nil
	}
	return s.admitEverywhere()
}

// admitEverywhere lets clients of other addresses than this machine's prove who they are.
func (s *Server) admitEverywhere() error {
	file, err := os.OpenFile(filepath.Join(s.data(), "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString("host all all all scram-sha-256\n")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("let clients in: %w", err)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...) //nolint:gosec // one of PostgreSQL's programs
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = withThisProcess(s.account)
	return cmd
}

// Start starts the server after Stop or Kill, with what it held.
func (s *Server) Start() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open PostgreSQL's log: %w", err)
	}
	defer log.Close()
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "max_connections=200"}
	if host, port, err := net.SplitHostPort(s.address); err == nil {
		args = append(args, "-c", "listen_addresses="+host, "-p", port)
	} else {
		args = append(args, "-c", "listen_addresses=")
	}
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	started, exited := make(chan error, 1), make(chan struct{})
	go func() {
		// The server is told of the death of the thread that started it, so that one has to live as long.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // what it says is in the log
		}
		close(exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.pid, s.exited = cmd.Process.Pid, exited
	if err := s.awaitReady(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("start PostgreSQL: %w: %s", err, lastLine(string(said))), s.Kill())
	}
	return nil
}

func (s *Server) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-s.exited:
			return errors.New("it has ended")
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// DSN returns the connection string of a database of this server.
func (s *Server) DSN(database string) string {
	if s.address != "" {
		u := url.URL{
			Scheme: "postgres", User: url.UserPassword("postgres", s.password), Host: s.address, Path: "/" + database, RawQuery: "sslmode=disable",
		}
		return u.String()
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", s.password), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode(),
	}
	return u.String()
}

// Password returns what must not appear in any log.
func (s *Server) Password() string { return s.password }

// NewDatabase makes an empty database and returns its connection string.
func (s *Server) NewDatabase() (dsn string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	name := "test" + strconv.FormatInt(s.databases.Add(1), 10)
	if err := s.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create database: %w", err)
	}
	return s.DSN(name), nil
}

// Database is NewDatabase for tests.
func (s *Server) Database(t testing.TB) (dsn string) {
	t.Helper()
	dsn, err := s.NewDatabase()
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

func (s *Server) exec(ctx context.Context, sql string) (err error) {
	c, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	_, err = c.Exec(ctx, sql)
	return err
}

// Stop shuts the server down in order: what is under way is rolled back, connections are closed.
func (s *Server) Stop() error { return s.end(syscall.SIGINT) }

// Kill has the server drop everything at once, as in a crash. The next start recovers from its log.
func (s *Server) Kill() error { return s.end(syscall.SIGQUIT) }

func (s *Server) end(signal syscall.Signal) error {
	if s.exited == nil {
		return nil
	}
	// Until it was waited for, the number belongs to no other process.
	if err := syscall.Kill(s.pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-s.exited:
		s.exited = nil
		return nil
	case <-time.After(stopTimeout):
		return fmt.Errorf("PostgreSQL has not ended %s after signal %s", stopTimeout, signal)
	}
}

// Freeze holds the server still, with all its connections open, until the function that it returns is called: what a host that
// hangs or a network that drops everything looks like.
func (s *Server) Freeze() (thaw func() error, err error) {
	pids, err := s.processes()
	if err != nil {
		return nil, err
	}
	signal := func(number syscall.Signal) error {
		for _, pid := range pids {
			if err := syscall.Kill(pid, number); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("signal PostgreSQL: %w", err)
			}
		}
		return nil
	}
	return func() error { return signal(syscall.SIGCONT) }, signal(syscall.SIGSTOP)
}

// processes returns the server's process and its children, which serve the connections.
func (s *Server) processes() ([]int, error) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid, s.pid))
	if err != nil {
		return nil, fmt.Errorf("list PostgreSQL's processes: %w", err)
	}
	pids := []int{s.pid}
	for _, field := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("list PostgreSQL's processes: %w", err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// Close ends the server and removes everything.
func (s *Server) Close() error {
	return errors.Join(s.Kill(), os.RemoveAll(s.dir))
}

// lastLine is what a program said last, for errors of one line.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
