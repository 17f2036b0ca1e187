package provider

import (
	"slices"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// toldOf returns how the clients of a session learn of its end: notices for their servers (OpenID Connect Back-Channel Logout), and
// what the person's own browser loads (OpenID Connect Front-Channel Logout). clients are all that have got a code in the session, as
// storage knows them at the moment when the session ends.
func (p *Provider) toldOf(session *store.Session, clients []store.Client) (back []store.Notice, front []frontchannel) {
	now := p.now()
	for _, told := range clients {
		client, known := p.registered(told)
		if !known || client.Disabled {
			continue
		}
		if client.BackchannelLogoutURI != "" {
			back = append(back, store.Notice{
				ID: store.NewID(now), Client: told, Subject: session.Subject, SessionID: session.ID, NextAt: now, ExpiresAt: now.Add(noticeLifetime),
			})
		}
		if client.FrontchannelLogoutURI != "" {
			// Always both, which a client must expect (section 3): without them it could only end every session of the browser.
			front = append(front, frontchannel{told.ID, oidc.AnswerURL(client.FrontchannelLogoutURI, "iss", p.issuer, "sid", p.sidOf(client, session.ID))})
		}
	}
	return back, front
}

// toldOfExpiry returns the notices for those clients of a session that want to know also when it has merely run out.
func (p *Provider) toldOfExpiry(session *store.Session, clients []store.Client) []store.Notice {
	back, _ := p.toldOf(session, slices.DeleteFunc(slices.Clone(clients), func(c store.Client) bool {
		client, known := p.registered(c)
		return !known || !client.BackchannelLogoutOnExpiry
	}))
	return back
}
