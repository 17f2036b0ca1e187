package provider

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/store"
)

// frontchannel is a client that is told of a logout by the browser (OpenID Connect Front-Channel Logout section 2).
type frontchannel struct {
	clientID string
	// uri is what the browser loads, with iss and sid.
	uri string
}

// logOut ends a session for every client that knows of it, wherever the person is. What the clients' servers must be told
// (OpenID Connect Back-Channel Logout) is stored together with the end of the session and sent by RunLogoutNotices, also
// after a restart. It returns those that only the person's own browser can tell; whoever ends the session of another
// browser cannot reach them.
func (p *Provider) logOut(ctx context.Context, session store.Session) ([]frontchannel, error) {
	var back []store.Notice
	var front []frontchannel
	err := p.store.EndSession(ctx, session.ID, func(ended store.Session, clients []store.Client) []store.Notice {
		back, front = p.toldOf(&ended, clients)
		return back
	})
	if err != nil {
		return nil, fmt.Errorf("end session: %w", err)
	}
	if len(back) > 0 {
		p.notices.wakeUp()
	}
	return front, nil
}

// endSession logs the browser out.
func (p *Provider) endSession(ctx context.Context, w http.ResponseWriter, b *browser) ([]frontchannel, error) {
	front, err := p.logOut(ctx, b.Session)
	if err != nil {
		return nil, err
	}
	p.record(ctx, auditLogout, slog.String("sub", b.Subject), slog.String("session_id", b.ID))
	p.cookies.clear(w, p.cookies.session)
	return front, nil
}

// noticeLifetime is for how long a client that does not answer is told again.
const noticeLifetime = 24 * time.Hour
