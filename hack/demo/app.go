package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	oidcv1alpha1 "github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// startApp runs the sample application. All it is given is its own address and
// a directory with the Secret's keys as files, as a Secret volume would be.
func (d *demo) startApp(ctx context.Context) error {
	secret, err := d.credentialsSecret(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(d.dir, "demo-app-secret")
	if err := writeSecretFiles(dir, secret.Data); err != nil {
		return err
	}
	app, err := d.processes.launch("demo-app", nil, filepath.Join("bin", "demo-app"),
		fmt.Sprintf("-listen=127.0.0.1:%d", appPort), "-url="+appURL, "-secret-dir="+dir)
	if err != nil {
		return err
	}
	err = d.processes.waitFor(ctx, "the sample application", time.Minute, app, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, appURL, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	if err != nil {
		return err
	}
	d.say("the sample application runs with the Secret's files in %s", relative(dir))
	return nil
}

var appURL = fmt.Sprintf("http://localhost:%d", appPort)

// writeSecretFiles makes a directory that holds the keys as files, and no others.
func writeSecretFiles(dir string, data map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for key, value := range data {
		if err := os.WriteFile(filepath.Join(dir, key), value, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// report says what there is now and how to log in.
func (d *demo) report(ctx context.Context) error {
	secret, err := d.credentialsSecret(ctx)
	if err != nil {
		return err
	}
	var user oidcv1alpha1.OIDCUser
	if err := d.client.Get(ctx, sampleUser, &user); err != nil {
		return fmt.Errorf("get OIDCUser %s: %w", sampleUser, err)
	}
	kubectl := relative(d.asset("kubectl")) + " --kubeconfig " + relative(d.kubeconfig())

	d.say("up")
	fmt.Printf("\nSecret %s/%s, made for OIDCClient %s:\n", secret.Namespace, secret.Name, sampleClient.Name)
	for _, key := range slices.Sorted(maps.Keys(secret.Data)) {
		value := "********"
		if d.showSecrets {
			value = string(secret.Data[key])
		}
		fmt.Printf("  %-24s %s\n", key, value)
	}
	if !d.showSecrets {
		fmt.Println("  (values: make demo SHOW_SECRETS=1)")
	}
	fmt.Printf("\nLog in:    %s/login\n", appURL)
	fmt.Printf("User:      %s\n", user.Status.Username)
	fmt.Printf("Password:  %s -n %s get secret %s -o go-template='{{.data.password | base64decode}}{{\"\\n\"}}'\n",
		kubectl, user.Namespace, user.Status.PasswordSecretName)
	fmt.Printf("\nLook:      %s get oidc -A\n", kubectl)
	fmt.Printf("Logs:      %s\n", relative(d.processes.logs))
	fmt.Printf("Stop:      make demo-down\n")
	return nil
}
