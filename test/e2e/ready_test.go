//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
)

// Who waits for Ready and then calls must get an answer, also at the first attempt: installers, CI jobs and init containers do so.
func TestReadyMeansCallable(t *testing.T) {
	besideOthers(t)
	for name, spec := range map[string]string{"scratch": inScratchSpace, "replicas": onPostgres + "\nreplicas: 2"} {
		for round := range 3 {
			t.Run(fmt.Sprintf("%s%d", name, round), func(t *testing.T) {
				s := beginAlone(t)
				if name == "replicas" {
					s.database()
				}
				s.apply(s.provider(spec), machine("app"))
				s.awaitReady("oidcprovider/sso", "oidcclient/app")
				service := s.service(false)
				if err := service.expect(discovery, http.StatusOK); err != nil {
					t.Errorf("the first call: %v", err)
				}
				if err := service.expectToken(s.credentials("app")); err != nil {
					t.Errorf("the first token: %v", err)
				}
			})
		}
	}
}
