package provider

import (
	"context"
	"log/slog"
	"net"
	"net/http"
)

// auditEvent names what an audit record tells.
type auditEvent string

// record writes an audit record. attributes never hold a secret, a token or a code.
func (p *Provider) record(ctx context.Context, event auditEvent, attributes ...slog.Attr) {
	if p.audit == nil {
		return
	}
	if request, ok := ctx.Value(requestKey{}).(*requestInfo); ok {
		attributes = append(attributes, slog.String("request_id", request.id), slog.String("address", request.address))
	}
	p.audit.LogAttrs(ctx, slog.LevelInfo, string(event), attributes...)
}

// requestInfo is what is known of whoever sent a request, in the request's context.
type requestInfo struct {
	id string
	// address is the sender's IP address.
	address string
}

type requestKey struct{}

func (p *Provider) withInfo(r *http.Request, id string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, &requestInfo{id: id, address: addressOf(r)}))
}

// addressOf returns the IP address of whoever sent a request.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
