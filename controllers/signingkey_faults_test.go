package controllers_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/gen"
	"github.com/oidc-operator/oidc-operator/test/match"
)

// fault is an answer in place of the API server's.
type fault struct {
	status int
	reason metav1.StatusReason
	// done tells that the write is done all the same.
	done bool
}

// faults answers the next write to each path that it is armed for with a fault, once.
type faults struct {
	mu    sync.Mutex
	fault fault
	// armed are parts of paths.
	armed map[string]bool
	hit   []string
}

func (f *faults) arm(with fault, paths ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.armed, f.hit = with, map[string]bool{}, nil
	for _, path := range paths {
		f.armed[path] = true
	}
}

func (f *faults) hits() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.hit...)
}

// take returns the fault for a request, if it is to meet one.
func (f *faults) take(req *http.Request) (fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path := range f.armed {
		if req.Method != http.MethodGet && strings.Contains(req.URL.Path, path) {
			delete(f.armed, path)
			f.hit = append(f.hit, path)
			return f.fault, true
		}
	}
	return fault{}, false
}

func (f *faults) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		with, faulty := f.take(req)
		if !faulty {
			return next.RoundTrip(req)
		}
		if with.done {
			answer, err := next.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			_ = answer.Body.Close()
		}
		body, err := json.Marshal(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: int32(with.status), Reason: with.reason, Message: "this is a test",
		})
		if err != nil {
			return nil, err
		}
		return &http.Response{
			StatusCode: with.status, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}},
			Body: io.NopCloser(bytes.NewReader(body)), Request: req,
		}, nil
	})
}

// Serial, because this operator is the only one while it runs.
var _ = Describe("A SigningKey whose writes fail", Serial, func() {
	injected := &faults{}
	var k *v1alpha1.SigningKey
	BeforeEach(func() {
		operateThrough(injected.around)
		namespace := newNamespace(nil)
		provider := create(gen.OIDCProvider(namespace, "sso", gen.WithIssuer("http://localhost:8080")))
		k = create(gen.SigningKey(namespace, "key", "sso"))
		Eventually(current(k)).Should(match.BeReady())
		startReplica(provider, "one")
		Eventually(current(provider)).Should(HaveField("Status.Replicas.Ready", HaveValue(BeEquivalentTo(1))))
	})

	DescribeTable("rotates once all the same, and no key is replaced that somebody may have seen", func(with fault) {
		paths := []string{"/secrets/" + secretOf(k).Name, "/signingkeys/key/status"}
		first := k.Status.ActiveKeyID

		injected.arm(with, paths...)
		annotate(k, v1alpha1.AnnotationRotate, "now")
		Eventually(ringOf(secretOf(k))).Should(HaveField("Document.Keys", HaveLen(2)))
		second := ringOf(secretOf(k))(Default).Document.Keys[1].KeyID
		Eventually(injected.hits).Should(ConsistOf(paths))
		Eventually(current(k)).Should(And(match.BeReady(), havePhases("Active", "Published"), HaveField("Status.NextRotationTime", Not(BeNil()))))
		Expect(keyIn(k, "Published")).To(Equal(second))

		injected.arm(with, paths...)
		age(secretOf(k), 25*time.Hour)
		Eventually(injected.hits).Should(ConsistOf(paths))
		Eventually(current(k)).Should(And(havePhases("Retiring", "Active"), HaveField("Status.ActiveKeyID", second)))

		injected.arm(with, paths...)
		annotate(k, v1alpha1.AnnotationRevoke, second)
		var third string
		Eventually(func(g Gomega) {
			for _, key := range ringOf(secretOf(k))(g).Document.Keys {
				if key.KeyID != first && key.KeyID != second {
					third = key.KeyID
				}
			}
			g.Expect(third).NotTo(BeEmpty())
		}).Should(Succeed())
		Eventually(injected.hits).Should(ConsistOf(paths))
		Eventually(current(k)).Should(And(havePhases("Retiring", "Active"), HaveField("Status.ActiveKeyID", third)))

		operator.stop()
		injected.arm(fault{})
		operator = startOperator(cluster.Config)
		Consistently(operator.writes.in, "2s").WithArguments(k.Namespace).ShouldNot(ContainElement(
			Or(ContainSubstring("/secrets/"), ContainSubstring("/signingkeys/"))))
	},
		Entry("by a conflict", fault{status: http.StatusConflict, reason: metav1.StatusReasonConflict}),
		Entry("by a timeout, done", fault{status: http.StatusGatewayTimeout, reason: metav1.StatusReasonTimeout, done: true}),
		Entry("by a timeout, not done", fault{status: http.StatusGatewayTimeout, reason: metav1.StatusReasonTimeout}),
		Entry("by too many requests", fault{status: http.StatusTooManyRequests, reason: metav1.StatusReasonTooManyRequests}),
	)
})
