package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// tokenLife is how long the operator and the provider can do without a restart
// of the demo; nobody renews their tokens as a kubelet would.
const tokenLife = 30 * 24 * time.Hour

// writeAdminKubeconfig writes .demo/kubeconfig, for people and for this program.
func (d *demo) writeAdminKubeconfig(ca *authority, server string) (*rest.Config, error) {
	user := &api.AuthInfo{ClientCertificate: ca.certFile("admin"), ClientKey: ca.keyFile("admin")}
	if err := d.writeKubeconfig(d.kubeconfig(), server, "default", user); err != nil {
		return nil, err
	}
	return clientcmd.BuildConfigFromFlags("", d.kubeconfig())
}

// writeTokenKubeconfig writes the kubeconfig of a program that is nothing but
// its ServiceAccount, with a token as its pod would have.
func (d *demo) writeTokenKubeconfig(ctx context.Context, name string, account types.NamespacedName) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(tokenLife.Seconds()))}}
	serviceAccount := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: account.Name}}
	if err := d.client.SubResource("token").Create(ctx, serviceAccount, request); err != nil {
		return "", fmt.Errorf("get a token of ServiceAccount %s: %w", account, err)
	}
	file := filepath.Join(d.dir, name+".kubeconfig")
	return file, d.writeKubeconfig(file, d.config.Host, account.Namespace, &api.AuthInfo{Token: request.Status.Token})
}

func (d *demo) writeKubeconfig(file, server, namespace string, user *api.AuthInfo) error {
	config := api.NewConfig()
	config.Clusters["demo"] = &api.Cluster{Server: server, CertificateAuthority: filepath.Join(d.dir, "pki", "ca.crt")}
	config.AuthInfos["demo"] = user
	config.Contexts["demo"] = &api.Context{Cluster: "demo", AuthInfo: "demo", Namespace: namespace}
	config.CurrentContext = "demo"
	if err := clientcmd.WriteToFile(*config, file); err != nil { // mode 0600
		return fmt.Errorf("write %s: %w", relative(file), err)
	}
	return nil
}
