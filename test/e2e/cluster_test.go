//go:build e2e

package e2e_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Who installs for the first time and applies everything at once sees no warning that goes away by itself.
func TestFirstInstall(t *testing.T) {
	s := beginAlone(t)
	s.apply(s.provider(inScratchSpace), machine("app"), web("site"), user)
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site", "oidcuser/ada")
	s.expectNoWarnings()
}

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
	s.apply(s.provider(inScratchSpace), machine("app"), web("site"), user)
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcclient/site", "oidcuser/ada")
	since := time.Now()
	s.kubectl("delete", "namespace", s.namespace, "--timeout="+patience.String())
	// The operator has seen the end of it when it has seen what came after.
	s.kubectl("create", "namespace", s.namespace)
	s.apply(s.provider(inScratchSpace))
	s.awaitReady("oidcprovider/sso")
	s.expectNoOperatorErrors(since)
}

// expectNoOperatorErrors looks for errors in the operator's log that name the story's namespace.
func (s *story) expectNoOperatorErrors(since time.Time) {
	s.Helper()
	log := s.kubectl("--namespace="+operatorNamespace, "logs", "deployment/oidc-operator", "--since-time="+since.UTC().Format(time.RFC3339))
	lines := bufio.NewScanner(strings.NewReader(log))
	for lines.Scan() {
		line := lines.Text()
		// A write that meets another version is tried again, also without the end of a namespace.
		if strings.Contains(line, `"level":"ERROR"`) && strings.Contains(line, s.namespace) && !strings.Contains(line, "the object has been modified") {
			s.Errorf("the operator logs an error: %s", line)
		}
	}
}

// Who uninstalls as docs/uninstall.md says keeps nothing of what the operator has made, such as people's addresses and the hashes of their
// passwords.
func TestUninstall(t *testing.T) {
	t.Parallel()
	stories.Wait()
	s := beginAlone(t)
	s.apply(s.provider(inScratchSpace+"\nallowedClients: {namespaces: {from: All}}"), machine("app"), user)
	elsewhere := &story{T: t, namespace: s.namespace + "-elsewhere"}
	s.kubectl("create", "namespace", elsewhere.namespace)
	t.Cleanup(func() { s.kubectl("delete", "namespace", elsewhere.namespace, "--timeout="+patience.String()) })
	elsewhere.apply(strings.Replace(machine("other"), "{name: sso}", "{name: sso, namespace: "+s.namespace+"}", 1))
	s.awaitReady("oidcprovider/sso", "oidcclient/app", "oidcuser/ada")
	elsewhere.awaitReady("oidcclient/other")

	for _, kinds := range []string{"oidcclients,oidcusers", "signingkeys,oidcproviders"} {
		if _, err := kubectl(t.Context(), "", "delete", kinds, "--all", "--all-namespaces"); err != nil {
			t.Fatal(err)
		}
	}
	s.within(patience, func() error {
		left, err := kubectl(t.Context(), "", "get", "secrets", "--all-namespaces", "--output=name",
			"--selector=app.kubernetes.io/managed-by=oidc-operator,!oidc-operator.dev/reservation")
		if err == nil && left != "" {
			err = fmt.Errorf("what the operator has made is left: %s", left)
		}
		return err
	})
}
