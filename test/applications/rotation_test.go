package applications_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/status"
)

// rotateSigningKey revokes the key with which ID tokens and logout tokens are signed, the hardest rotation that there is, and
// waits until only the new one is published.
func (c *cluster) rotateSigningKey(t *testing.T) {
	t.Helper()
	var signingKeys v1alpha1.SigningKeyList
	if err := c.client.List(t.Context(), &signingKeys, client.InNamespace(providerNamespace)); err != nil {
		t.Fatal(err)
	}
	before := c.keyIDs(t)
	for i := range signingKeys.Items {
		k := &signingKeys.Items[i]
		patch := client.MergeFrom(k.DeepCopy())
		metav1.SetMetaDataAnnotation(&k.ObjectMeta, v1alpha1.AnnotationRevoke, k.Status.ActiveKeyID)
		if err := c.client.Patch(t.Context(), k, patch); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() error {
		now := c.keyIDs(t)
		if len(now) != 1 || len(before) != 1 || now[0] == before[0] {
			return fmt.Errorf("the provider publishes %v after %v", now, before)
		}
		return nil
	})
}

// keyIDs are those of the keys that the provider publishes.
func (c *cluster) keyIDs(t *testing.T) (ids []string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.issuer+"/oauth2/jwks", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := shared.authority.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var set struct{ Keys []struct{ KID string } }
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		ids = append(ids, key.KID)
	}
	return ids
}

// rotateClientSecret asks for another client secret, and waits until it is in the application's Secret.
func (c *cluster) rotateClientSecret(t *testing.T, oidcClient *v1alpha1.OIDCClient) {
	t.Helper()
	old, oldID := c.credentials(t, oidcClient)["client_secret"], oidcClient.Status.Credentials.CurrentSecretID
	c.change(t, oidcClient, func() { metav1.SetMetaDataAnnotation(&oidcClient.ObjectMeta, v1alpha1.AnnotationRotate, "now") })
	eventually(t, func() error {
		if err := status.Ready(t.Context(), c.client, oidcClient); err != nil {
			return err
		}
		if oidcClient.Status.Credentials.CurrentSecretID == oldID || oidcClient.Status.Credentials.Previous == nil {
			return errors.New("the client secret is not rotated")
		}
		return nil
	})
	if bytes.Equal(c.credentials(t, oidcClient)["client_secret"], old) {
		t.Fatal("another ID, and the same client secret")
	}
}

// endOverlap ends the client secret that was replaced before its time, and waits until the provider refuses it.
func (c *cluster) endOverlap(t *testing.T, oidcClient *v1alpha1.OIDCClient) {
	t.Helper()
	c.change(t, oidcClient, func() { oidcClient.Spec.Credentials.Rotation.Overlap = new(metav1.Duration) })
	eventually(t, func() error {
		if err := status.Ready(t.Context(), c.client, oidcClient); err != nil {
			return err
		}
		if oidcClient.Status.Credentials.Previous != nil {
			return errors.New("the old client secret still works")
		}
		return nil
	})
}

// change patches an OIDCClient.
func (c *cluster) change(t *testing.T, oidcClient *v1alpha1.OIDCClient, edit func()) {
	t.Helper()
	patch := client.MergeFrom(oidcClient.DeepCopy())
	edit()
	if err := c.client.Patch(t.Context(), oidcClient, patch); err != nil {
		t.Fatal(err)
	}
}
