package applications_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
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

// replaceClientSecret takes the credentials away, and waits until there are others and the provider knows them.
func (c *cluster) replaceClientSecret(t *testing.T, oidcClient *v1alpha1.OIDCClient) {
	t.Helper()
	old, oldID := c.credentials(t, oidcClient)["client_secret"], oidcClient.Status.Credentials.CurrentSecretID
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: oidcClient.Namespace, Name: oidcClient.Status.Credentials.SecretName}}
	if err := c.client.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if err := c.ready(t.Context(), oidcClient); err != nil {
			return err
		}
		if oidcClient.Status.Credentials.CurrentSecretID == oldID {
			return errors.New("the client secret is the old one")
		}
		return nil
	})
	if bytes.Equal(c.credentials(t, oidcClient)["client_secret"], old) {
		t.Fatal("another ID, and the same client secret")
	}
}
