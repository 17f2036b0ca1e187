package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestHold(t *testing.T) {
	now := time.Now()
	client := func(generation, observed int64, reason string) *v1alpha1.OIDCClient {
		c := gen.OIDCClient("apps", "app", gen.OIDCProvider("sso", "sso"))
		c.Generation, c.Status.ObservedGeneration = generation, observed
		setConditions(&c.Status.Conditions, generation, metav1.NewTime(now), named{v1alpha1.ConditionServed, wait(reason, "")})
		return c
	}
	at := func(since time.Time) *registered { return &registered{since: since} }
	tests := map[string]struct {
		registered *registered
		client     *v1alpha1.OIDCClient
		want       time.Duration
	}{
		"a new client waits for replicas":          {at(now), client(1, -1, v1alpha1.ReasonAwaitingReplicas), patience},
		"a changed one has waited for some of it":  {at(now.Add(-patience / 4)), client(2, 1, v1alpha1.ReasonAwaitingReplicas), patience * 3 / 4},
		"it has taken too long":                    {at(now.Add(-patience)), client(2, 1, v1alpha1.ReasonAwaitingReplicas), 0},
		"the status is about this very spec":       {at(now), client(2, 2, v1alpha1.ReasonAwaitingReplicas), 0},
		"no replica is there that could be waited": {at(now), client(1, -1, v1alpha1.ReasonNoReplicas), 0},
		"nothing was registered":                   {nil, client(1, -1, v1alpha1.ReasonAwaitingReplicas), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.registered.hold(tt.client, tt.client, tt.client.Status.ObservedGeneration, now); got != tt.want {
				t.Errorf("hold() = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestConcerningClients(t *testing.T) {
	tests := map[string]struct {
		change func(*v1alpha1.OIDCProvider)
		want   bool
	}{
		"nothing":            {func(*v1alpha1.OIDCProvider) {}, false},
		"status":             {func(p *v1alpha1.OIDCProvider) { p.Status.ObservedGeneration = 7 }, false},
		"branding":           {func(p *v1alpha1.OIDCProvider) { p.Spec.Branding.Title = "other" }, false},
		"replicas":           {func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(3)) }, false},
		"namespaces":         {func(p *v1alpha1.OIDCProvider) { p.Spec.AllowedClients.Namespaces.From = v1alpha1.NamespacesFromSame }, true},
		"redirect hosts":     {func(p *v1alpha1.OIDCProvider) { p.Spec.AllowedClients.RedirectHosts = []string{"a.example.com"} }, true},
		"Synology's":         {func(p *v1alpha1.OIDCProvider) { p.Spec.SynologySSO.Enabled = new(true) }, true},
		"another, same name": {func(p *v1alpha1.OIDCProvider) { p.UID = types.UID("other") }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := gen.OIDCProvider("sso", "sso"), gen.OIDCProvider("sso", "sso")
			tt.change(after)
			if got := concerningClients().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}); got != tt.want {
				t.Errorf("passes %t, want %t", got, tt.want)
			}
		})
	}
}
