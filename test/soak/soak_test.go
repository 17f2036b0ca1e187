package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// One round of everything: no call fails while keys and client secrets are rotated, the operator is restarted and killed, and one
// provider after the other is replaced, and killed.
func TestNoCallFails(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; run the tests with: make test")
	}
	o := options{duration: time.Second, root: filepath.Join("..", ".."), pause: 50 * time.Millisecond}
	if err := run(t.Context(), t.Output(), o); err != nil {
		t.Error(err)
	}
}
