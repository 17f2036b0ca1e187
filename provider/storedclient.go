package provider

import (
	"github.com/oidc-operator/oidc-operator/provider/registration"
	"github.com/oidc-operator/oidc-operator/provider/store"
)

// storedAs names a client in storage. What bears another name is not the client's, whoever has had its ID before.
func storedAs(client *registration.Client) store.Client {
	return store.Client{ID: client.ClientID, UID: client.UID}
}

// registered returns the client that has a name in storage, unless it is gone or its ID is another client's now.
func (p *Provider) registered(name store.Client) (*registration.Client, bool) {
	client, known := p.registry.Client(name.ID)
	if !known || storedAs(client) != name {
		return nil, false
	}
	return client, true
}

// reregistered tells whether the ID of a name in storage is another client's now.
func (p *Provider) reregistered(name store.Client) bool {
	client, known := p.registry.Client(name.ID)
	return known && storedAs(client) != name
}
