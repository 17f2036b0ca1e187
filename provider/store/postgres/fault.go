package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// Name returns the words by which administrators know the database of a connection string: "the database sso at db.example.com:5432".
// An error means that the string cannot be parsed, and tells nothing of it.
func Name(dsn string) (string, error) {
	config, err := parse(dsn, Options{})
	if err != nil {
		return "", err
	}
	return nameOf(config.ConnConfig), nil
}

func nameOf(config *pgx.ConnConfig) string {
	at := func(host string, port uint16) string {
		if strings.HasPrefix(host, "/") {
			return host
		}
		return net.JoinHostPort(host, fmt.Sprint(port))
	}
	hosts := []string{at(config.Host, config.Port)}
	for _, other := range config.Fallbacks {
		if name := at(other.Host, other.Port); hosts[len(hosts)-1] != name { // each host is there with and without TLS
			hosts = append(hosts, name)
		}
	}
	return fmt.Sprintf("the database %s at %s", config.Database, strings.Join(hosts, ", "))
}

// Describe says what an error of Open or of a Store's method means for the database that has this Name.
func Describe(name string, err error) store.Fault {
	var fault *store.Fault
	if !errors.As(err, &fault) {
		fault = faultOf(err)
	}
	return store.Fault{Kind: fault.Kind, Message: name + " " + fault.Message}
}

// SQLSTATEs that tell an administrator what to do.
const (
	databaseMissing      = "3D000"
	readOnlyTransaction  = "25006"
	diskFull             = "53100"
	tooManyConnections   = "53300"
	insufficientRights   = "42501"
	cannotConnectNow     = "57P03"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	invalidAuthorization = "28"
)

// faultOf sorts what the driver says. What it says of a connection that cannot be made is not passed on, not even to the log: it quotes
// the parts of the connection string, among which may be those of a password that was not encoded.
func faultOf(err error) *store.Fault {
	var refused *pgconn.PgError
	connecting := errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(*pgconn.ParseConfigError))
	fault := &store.Fault{Kind: store.FaultUnreachable}
	if errors.As(err, &refused) {
		fault = ofServer(refused, connecting)
	} else {
		fault.Message = ofNetwork(err)
	}
	if !connecting && fault.Detail == "" {
		fault.Detail = err.Error()
	}
	return fault
}

func ofServer(refused *pgconn.PgError, connecting bool) *store.Fault {
	switch code := refused.Code; {
	case strings.HasPrefix(code, invalidAuthorization):
		return &store.Fault{Kind: store.FaultUnreachable, Message: "refuses the user or the password of the connection string"}
	case code == databaseMissing:
		return &store.Fault{Kind: store.FaultUnreachable, Message: "does not exist on its server"}
	case code == readOnlyTransaction:
		return &store.Fault{Kind: store.FaultUnreachable, Message: "can only be read: it is a standby, or default_transaction_read_only is on"}
	case code == diskFull:
		return &store.Fault{Kind: store.FaultFull, Message: "has no space left on its server's volume"}
	case code == tooManyConnections:
		return &store.Fault{Kind: store.FaultUnreachable, Message: "has no connection left for the provider (max_connections, or a limit of the role or database)"}
	case code == cannotConnectNow, code == adminShutdown, code == crashShutdown:
		return &store.Fault{Kind: store.FaultUnreachable, Message: "is starting or shutting down"}
	case code == insufficientRights:
		return &store.Fault{Message: "refuses the provider's role the right to read, write or create its tables"}
	case connecting:
		return &store.Fault{Kind: store.FaultUnreachable, Message: fmt.Sprintf("refuses the connection with SQLSTATE %s", code)}
	default:
		return &store.Fault{Message: fmt.Sprintf("answers with SQLSTATE %s", code)}
	}
}

func ofNetwork(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, new(*net.DNSError)):
		return "cannot be reached: its host name cannot be resolved"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "cannot be reached: its certificate is not trusted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "cannot be reached: nothing listens there"
	case errors.Is(err, syscall.ENOENT):
		return "cannot be reached: there is no such socket"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "cannot be reached: there is no route to it"
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err), errors.As(err, &timeout) && timeout.Timeout():
		return "does not answer in time"
	case errors.Is(err, pgconn.ErrReadOnlyConnection), errors.Is(err, pgconn.ErrStandbyConnection):
		return "has no host that takes changes (target_session_attrs)"
	case strings.Contains(err.Error(), "server refused TLS"):
		return "cannot be reached: it does not offer TLS, which sslmode asks for"
	}
	return "cannot be reached"
}
