package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
)

// One control plane from start to stop: an administrator gets in, a
// ServiceAccount gets in as itself and no further, a second start takes up the
// first, and afterwards nothing is left.
func TestControlPlane(t *testing.T) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; run make test")
	}
	ctx := t.Context()
	dir := t.TempDir()
	start := func() *demo {
		d := &demo{dir: dir, assets: assets, start: time.Now()}
		var err error
		if d.processes, err = newProcesses(dir); err != nil {
			t.Fatal(err)
		}
		if d.config, err = d.startControlPlane(ctx); err != nil {
			t.Fatal(err)
		}
		if d.client, err = newClient(d.config); err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := start()
	t.Cleanup(func() {
		if err := d.forget(); err != nil {
			t.Error(err)
		}
	})

	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "app"}}
	if err := d.client.Create(ctx, account); err != nil {
		t.Fatal(err)
	}
	file, err := d.writeTokenKubeconfig(ctx, "app", types.NamespacedName{Namespace: "default", Name: "app"})
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	asApp, err := newClient(config)
	if err != nil {
		t.Fatal(err)
	}
	err = asApp.List(ctx, &corev1.SecretList{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:default:app") {
		t.Errorf("listing Secrets as a ServiceAccount without a role: %v, want forbidden for that account", err)
	}

	again := start()
	if len(again.processes.started) != 0 || again.config.Host != d.config.Host {
		t.Errorf("a second start began %d processes, at %s", len(again.processes.started), again.config.Host)
	}

	etcd := d.processes.running("etcd")
	if err := d.forget(); err != nil {
		t.Fatal(err)
	}
	if identity(etcd) != "" {
		t.Error("etcd still runs")
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(d.config.Host, "https://")); err == nil {
		conn.Close()
		t.Error("the API server still listens")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("left behind: %v, want the logs and the empty records", left)
	}
}

func TestClaimableNamesWhoHasThePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	err = claimable(port, "the provider")
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(port)) || !strings.Contains(err.Error(), "the provider") {
		t.Errorf("error is %v", err)
	}
	if _, statErr := os.Stat("/proc/self"); statErr == nil && !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("error is %v, want it to name this process", err)
	}
	l.Close()
	if err := claimable(port, "the provider"); err != nil {
		t.Errorf("a free port is not claimable: %v", err)
	}
}
