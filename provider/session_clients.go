package provider

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// wantsLogout tells whether a client asks to be told when a person logs out.
func wantsLogout(client *registration.Client) bool {
	return !client.Disabled && (client.BackchannelLogoutURI != "" || client.FrontchannelLogoutURI != "")
}

// noteClient writes down that a client is about to learn of a session, so that the session's end reaches it. Its codes and
// tokens say so only while they are good, and the application's own session usually outlives them. Such a note is a grant
// with nothing in it to redeem; there is one for each client of a session.
func (p *Provider) noteClient(ctx context.Context, client *registration.Client, session *store.Session) error {
	if !wantsLogout(client) {
		return nil
	}
	// Looked up by name and not among all grants of the person, of which there may be thousands.
	id := noteID(client.ClientID, session)
	_, err := p.store.Grant(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = p.writeNote(ctx, id, client.ClientID, session)
		if err != nil {
			if _, errRead := p.store.Grant(ctx, id); errRead == nil {
				return nil // another request has written it meanwhile
			}
		}
	}
	if err != nil {
		return fmt.Errorf("note client of session: %w", err)
	}
	return nil
}

// noteID names the note of a client for a session and its end. It begins with the time in the session's ID, as store.NewID does.
func noteID(clientID string, session *store.Session) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", session.ID, clientID, session.ExpiresAt.UnixMicro()))
	id := session.ID + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))
	return id[:noteTime] + id[len(session.ID):][:store.IDLength-noteTime]
}

// noteTime is how many characters of an ID are about its time.
const noteTime = 10

func isNote(g *store.Grant) bool {
	return g.SessionID != "" && g.Code.Handle == (store.Handle{}) && g.Refresh.Handle == (store.Handle{})
}

func (p *Provider) writeNote(ctx context.Context, id, clientID string, session *store.Session) error {
	return p.store.CreateGrant(ctx, store.Grant{
		ID: id, ClientID: clientID, Subject: session.Subject, SessionID: session.ID,
		AuthTime: session.AuthTime, CreatedAt: p.now(), ExpiresAt: session.ExpiresAt,
	})
}

// prolongNotes keeps the clients of a session that lasts longer now, because its person has logged in once more.
func (p *Provider) prolongNotes(ctx context.Context, session *store.Session) error {
	clients, err := p.clientsOf(ctx, session)
	if err != nil {
		return err
	}
	for _, client := range clients {
		if err := p.noteClient(ctx, client, session); err != nil {
			return err
		}
	}
	return nil
}

// clientsOf returns the clients that know of a session and want to be told of its end, ordered by client ID.
func (p *Provider) clientsOf(ctx context.Context, session *store.Session) ([]*registration.Client, error) {
	grants, err := p.store.GrantsOf(ctx, session.Subject)
	if err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	var ids []string
	for i := range grants {
		if grants[i].SessionID == session.ID {
			ids = append(ids, grants[i].ClientID)
		}
	}
	slices.Sort(ids)
	var clients []*registration.Client
	for _, id := range slices.Compact(ids) {
		if client, known := p.registry.Client(id); known && wantsLogout(client) {
			clients = append(clients, client)
		}
	}
	return clients, nil
}

// revoke takes back what a person has agreed to with a client, and all that it got for that. The client's own session goes
// on, and is still told when the person logs out.
func (p *Provider) revoke(ctx context.Context, subject, clientID string) error {
	grants, err := p.store.GrantsOf(ctx, subject)
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	if err := p.store.Revoke(ctx, subject, clientID); err != nil {
		return fmt.Errorf("revoke consent: %w", err)
	}
	for i := range grants {
		note := grants[i]
		if note.ClientID != clientID || !isNote(&note) || !note.ExpiresAt.After(p.now()) {
			continue
		}
		note.ID = store.NewID(p.now())
		if err := p.store.CreateGrant(ctx, note); err != nil {
			return fmt.Errorf("note client of session: %w", err)
		}
	}
	return nil
}
