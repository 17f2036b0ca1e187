//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// What hack/e2e.sh tells.
var (
	kubeconfig    = os.Getenv("KUBECONFIG")
	operatorImage = os.Getenv("E2E_OPERATOR_IMAGE")
	callerImage   = os.Getenv("E2E_CALLER_IMAGE")
)

const (
	operatorNamespace = "oidc-operator-system"
	callerNamespace   = "caller"
	// nodeAddress is the node's, at which pods reach what the tests run beside the cluster.
	nodeAddress = "10.89.0.1"
)

// k8s reads and watches; what a user would write is written with kubectl.
var k8s client.WithWatch

func TestMain(m *testing.M) {
	if kubeconfig == "" || operatorImage == "" || callerImage == "" {
		fmt.Fprintln(os.Stderr, "e2e: KUBECONFIG, E2E_OPERATOR_IMAGE and E2E_CALLER_IMAGE are not set; run `make e2e`, which brings up a node for these tests")
		os.Exit(1)
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// prepare installs what all stories share.
func prepare() error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // the tests are the only ones
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	if k8s, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := installCaller(ctx); err != nil {
		return fmt.Errorf("run a pod to call from: %w", err)
	}
	if err := installOperator(ctx); err != nil {
		return fmt.Errorf("install the operator: %w", err)
	}
	return nil
}

// installOperator does what README says, with a copy of the manifests.
func installOperator(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "config"))); err != nil {
		return err
	}
	name, tag, _ := strings.Cut(operatorImage, ":")
	file, err := os.OpenFile(filepath.Join(dir, "default", "kustomization.yaml"), os.O_APPEND|os.O_WRONLY, fs.ModePerm)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "images:\n  - name: oidc-operator\n    newName: %s\n    newTag: %s\n", name, tag)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if _, err := kubectl(ctx, "", "apply", "-k", filepath.Join(dir, "default")); err != nil {
		return err
	}
	_, err = kubectl(ctx, "", "-n", operatorNamespace, "rollout", "status", "deployment/oidc-operator", "--timeout=90s")
	return err
}

func installCaller(ctx context.Context) error {
	if _, err := kubectl(ctx, fmt.Sprintf(callerManifest, callerImage), "apply", "-f", "-"); err != nil {
		return err
	}
	if _, err := kubectl(ctx, "", "-n", callerNamespace, "wait", "pod/caller", "--for=condition=Ready", "--timeout=90s"); err != nil {
		return err
	}
	ip, err := kubectl(ctx, "", "-n", callerNamespace, "get", "pod/caller", "-o", "jsonpath={.status.podIP}")
	callerAddress = ip + ":9000"
	return err
}

const callerManifest = `
apiVersion: v1
kind: Namespace
metadata:
  name: caller
---
apiVersion: v1
kind: Pod
metadata:
  name: caller
  namespace: caller
spec:
  automountServiceAccountToken: false
  containers:
    - name: caller
      image: %s
      readinessProbe:
        tcpSocket:
          port: 9000
        periodSeconds: 1
`

// kubectl runs a command of a user, with input where there is any, and returns its output. An error holds what kubectl said.
func kubectl(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
