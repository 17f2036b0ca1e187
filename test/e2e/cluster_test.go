//go:build e2e

package e2e_test

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

const user = `
apiVersion: oidc-operator.dev/v1alpha1
kind: OIDCUser
metadata:
  name: ada
spec:
  providerRef: {name: sso}
  email: ada@example.com
`

// Deleting a namespace takes everything in it, in any order, and is no error of the operator.
func TestNamespaceDeleted(t *testing.T) {
	s := begin(t)
	s.apply(provider(inScratchSpace), machine("app"), web("site"), user)
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site", "oidcuser/ada")
	since := time.Now()
	s.kubectl("delete", "namespace", s.namespace, "--timeout="+patience.String())
	// The operator has seen the end of it when it has seen what came after.
	s.kubectl("create", "namespace", s.namespace)
	s.apply(provider(inScratchSpace))
	s.awaitReady("oidcprovider/sso")
	s.expectNoOperatorErrors(since)
}

// expectNoOperatorErrors looks for errors in the operator's log that name the story's namespace.
func (s *story) expectNoOperatorErrors(since time.Time) {
	s.Helper()
	log := s.kubectl("--namespace="+operatorNamespace, "logs", "deployment/oidc-operator", "--since-time="+since.UTC().Format(time.RFC3339))
	lines := bufio.NewScanner(strings.NewReader(log))
	for lines.Scan() {
		if line := lines.Text(); strings.Contains(line, `"level":"ERROR"`) && strings.Contains(line, s.namespace) {
			s.Errorf("the operator logs an error: %s", line)
		}
	}
}
