package controllers

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

func TestProbeDiscovery(t *testing.T) {
	const issuer = "https://id.example.com:8443/realm"
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "id.example.com:8443" || r.URL.Path != "/realm/.well-known/openid-configuration" {
				http.Error(w, "wrong address", http.StatusNotFound)
				return
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	good := answer(http.StatusOK, `{"issuer":"`+issuer+`"}`)
	plain, encrypted := httptest.NewServer(good), httptest.NewTLSServer(good)
	defer plain.Close()
	defer encrypted.Close()
	for name, test := range map[string]struct {
		server *httptest.Server
		tls    bool
		want   string
	}{
		"answers":            {plain, false, ""},
		"answers with TLS":   {encrypted, true, ""},
		"TLS is not there":   {plain, true, "server gave HTTP response to HTTPS client"},
		"only TLS is there":  {encrypted, false, "400"},
		"answers 503":        {httptest.NewServer(answer(http.StatusServiceUnavailable, "")), false, "503"},
		"leads elsewhere":    {httptest.NewServer(http.RedirectHandler("http://"+plain.Listener.Addr().String(), http.StatusFound)), false, "302"},
		"is another":         {httptest.NewServer(answer(http.StatusOK, `{"issuer":"https://other.example.com"}`)), false, "not this provider's"},
		"is something else":  {httptest.NewServer(answer(http.StatusOK, `hello`)), false, "not this provider's"},
		"refuses the call":   {closed(), false, "connection refused"},
		"refuses TLS's call": {closed(), true, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			err := ProbeDiscovery(t.Context(), ProbeTarget{Address: test.server.Listener.Addr().String(), TLS: test.tls, Issuer: issuer})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// closed returns a server that is not there any more.
func closed() *httptest.Server {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server
}

// A provider is asked when it is not known whether it is reached, and never again while one of the pods that were reached serves.
func TestReach(t *testing.T) {
	calls, answer := 0, error(nil)
	r := newReach(func(_ context.Context, target ProbeTarget) error {
		calls++
		if target.Address != "10.0.0.1:80" && target.Address != "[fd00::1]:443" || target.TLS != strings.HasSuffix(target.Address, "443") {
			t.Errorf("asked at %+v", target)
		}
		return answer
	})
	p := gen.OIDCProvider("sso", "sso")
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{UID: "one"}, Spec: corev1.ServiceSpec{ClusterIP: "10.0.0.1"}}
	plain, _ := resources.Ports(p)
	port := plain
	now := time.Now()
	judge := func(wantCalls int, wantReason string, wantAgain time.Duration, names ...string) {
		t.Helper()
		var pods []corev1.Pod
		for _, name := range names {
			pod := serving(name)
			pod.UID = types.UID(name)
			pods = append(pods, pod)
		}
		calls = 0
		v, again := r.judge(t.Context(), p, service, port, pods, now)
		reason := ""
		if v != nil {
			reason = v.reason
		}
		if calls != wantCalls || reason != wantReason || again != wantAgain {
			t.Errorf("%d calls, %q, again after %v", calls, reason, again)
		}
	}
	answer = errors.New("connection refused")
	judge(1, v1alpha1.ReasonServiceUnreachable, firstProbeRetry, "a")
	now = now.Add(8 * time.Second)
	judge(1, v1alpha1.ReasonServiceUnreachable, 2*time.Second, "a")
	now = now.Add(time.Hour)
	judge(1, v1alpha1.ReasonServiceUnreachable, lastProbeRetry, "a")
	answer = nil
	judge(1, "", 0, "a")
	judge(0, "", 0, "a")
	judge(0, "", 0, "a", "b") // a rolling update
	judge(0, "", 0, "b")
	judge(1, "", 0, "c") // nobody that was reached is there any more
	judge(1, "", 0)
	judge(1, "", 0, "c")
	service.Spec.ClusterIP, port = "fd00::1", resources.Port{Name: resources.PortHTTPS, Service: 443}
	judge(1, "", 0, "c")
	judge(0, "", 0, "c")
	r.forget(p.Key())
	judge(1, "", 0, "c")
	service = &corev1.Service{}
	judge(0, v1alpha1.ReasonServiceUnreachable, firstProbeRetry, "c")
	if v, again := newReach(nil).judge(t.Context(), p, service, port, nil, now); v != nil || again != 0 {
		t.Errorf("an operator outside of the cluster: got %v, %v", v, again)
	}
}
