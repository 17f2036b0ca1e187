//go:build e2e

package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// imageUser is who owns a volume of a provider; the kubelet changes no owner of a directory of the node.
const imageUser = 65532

// volume makes a file system in memory of so many bytes that the claim of the story's provider is bound to, and returns its path.
// It is among the node's files, so that it is unmounted with the node, however a test ends.
func (s *story) volume(bytes int64) string {
	s.Helper()
	dir := filepath.Join(filepath.Dir(kubeconfig), "volumes", s.namespace)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,uid=%d,gid=%d,mode=0700", bytes, imageUser, imageUser)); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		s.kubectl("delete", "oidcprovider/sso", "--ignore-not-found")
		s.kubectl("wait", "pod", "--selector=app.kubernetes.io/instance=sso", "--for=delete", "--timeout="+patience.String())
		s.kubectl("delete", "persistentvolumeclaim/sso-data", "--ignore-not-found", "--timeout="+patience.String()) // it is retained
		s.kubectl("delete", "persistentvolume/"+s.namespace, "--timeout="+patience.String())
		if err := syscall.Unmount(dir, 0); err != nil {
			s.Error(err)
		}
	})
	s.apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata:
  name: %[1]s
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: %[1]s, name: sso-data}
  hostPath: {path: %[2]s}
`, s.namespace, dir))
	return dir
}

// fill has a file take up what is left of a volume.
func (s *story) fill(dir string) {
	s.Helper()
	file, err := os.OpenFile(ballast(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.Fatal(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		s.Fatalf("filling the volume ended with %v, want that no space is left", err)
	}
}

func ballast(dir string) string { return filepath.Join(dir, "ballast") }

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// When the volume of the embedded database is full, the status names it, and space is all that it takes to heal.
func TestVolumeFull(t *testing.T) {
	s := begin(t)
	dir := s.volume(64 << 20)
	s.apply(s.provider(""), machine("app"), web("site"))
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site")
	app, service := s.credentials("app"), s.service(false)
	if err := service.expectToken(app); err != nil {
		t.Fatal(err)
	}

	s.within(patience, func() error {
		s.fill(dir) // again: the provider has a reserve, which it gives up
		return s.expectUnusable("volume", "app", "site")
	})
	if err := service.expect(discovery, http.StatusOK); err != nil {
		t.Error(err)
	}
	if err := service.expect(jwks, http.StatusOK); err != nil {
		t.Error(err)
	}

	if err := os.Remove(ballast(dir)); err != nil {
		t.Fatal(err)
	}
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site")
	if err := service.expectToken(app); err != nil {
		t.Error(err)
	}
	if n := s.restarts(); n != 0 {
		t.Errorf("%d restarts, want none", n)
	}
}

// A claim that nothing binds keeps the pod from starting. The status says so.
func TestVolumeMissing(t *testing.T) {
	s := begin(t)
	s.apply(s.provider(""), machine("app"))
	s.expectNotInForce("Unschedulable", "PersistentVolumeClaims")
	s.volume(64 << 20)
	s.awaitReady("oidcprovider/sso", "oidcclient/app")
	if err := s.service(false).expectToken(s.credentials("app")); err != nil {
		t.Error(err)
	}
}
