//go:build e2e

package e2e_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/test/pgtest"
)

// patience is how long anything may take that has no limit of its own.
const patience = 90 * time.Second

// story is a test with a namespace of its own, which is gone when it ends.
type story struct {
	*testing.T
	namespace string
}

// stories are those that have not ended; the last story of all waits for them.
var stories sync.WaitGroup

// besideOthers has a test run at the same time as others.
func besideOthers(t *testing.T) {
	// All that call this have done so before the first goes on.
	stories.Add(1)
	t.Cleanup(stories.Done)
	t.Parallel()
}

// begin starts a story beside others.
func begin(t *testing.T) *story {
	t.Helper()
	besideOthers(t)
	return beginAlone(t)
}

// beginAlone starts a story in which nothing else may happen in the cluster.
func beginAlone(t *testing.T) *story {
	t.Helper()
	s := &story{T: t, namespace: namespaceOf(t.Name())}
	s.kubectl("create", "namespace", s.namespace)
	t.Cleanup(func() {
		if t.Failed() {
			s.explain()
		}
		s.kubectl("delete", "namespace", s.namespace, "--timeout="+patience.String())
	})
	return s
}

// namespaceOf turns TestDatabaseAway into database-away.
func namespaceOf(test string) string {
	var name strings.Builder
	for _, r := range strings.TrimPrefix(test, "Test") {
		switch {
		case r == '/':
			name.WriteByte('-')
		case unicode.IsUpper(r):
			name.WriteString("-" + string(unicode.ToLower(r)))
		default:
			name.WriteRune(r)
		}
	}
	return strings.Trim(strings.ReplaceAll(name.String(), "--", "-"), "-")
}

// kubectl runs a command in the story's namespace and returns its output; the story ends when it fails.
func (s *story) kubectl(args ...string) string {
	s.Helper()
	out, err := kubectl(context.Background(), "", append([]string{"--namespace=" + s.namespace}, args...)...)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// apply applies manifests in the story's namespace.
func (s *story) apply(manifests ...string) {
	s.Helper()
	if _, err := kubectl(context.Background(), strings.Join(manifests, "\n---\n"), "--namespace="+s.namespace, "apply", "-f", "-"); err != nil {
		s.Fatal(err)
	}
}

// awaitReady waits as users do, with kubectl wait.
func (s *story) awaitReady(objects ...string) {
	s.Helper()
	s.kubectl(append([]string{"wait", "--for=condition=Ready", "--timeout=" + patience.String()}, objects...)...)
}

// within asks until there is no error any more.
func (s *story) within(limit time.Duration, ask func() error) {
	s.Helper()
	end := time.Now().Add(limit)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("after %s: %v", limit, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *story) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.namespace, Name: name}
}

func (s *story) get(name string, object client.Object) {
	s.Helper()
	if err := k8s.Get(context.Background(), s.key(name), object); err != nil {
		s.Fatal(err)
	}
}

// condition returns a condition of an OIDCProvider or OIDCClient; the zero value where there is none.
func (s *story) condition(object client.Object, name, conditionType string) metav1.Condition {
	s.Helper()
	s.get(name, object)
	var conditions []metav1.Condition
	switch o := object.(type) {
	case *v1alpha1.OIDCProvider:
		conditions = o.Status.Conditions
	case *v1alpha1.OIDCClient:
		conditions = o.Status.Conditions
	default:
		s.Fatalf("no conditions of %T", object)
	}
	if found := meta.FindStatusCondition(conditions, conditionType); found != nil {
		return *found
	}
	return metav1.Condition{}
}

// expectCondition returns what is wrong about a condition: its status, or that its reason and message together do not hold all words.
func expectCondition(c metav1.Condition, status metav1.ConditionStatus, words ...string) error {
	if c.Status != status {
		return fmt.Errorf("condition %s is %q (%s: %s), want %q", c.Type, c.Status, c.Reason, c.Message, status)
	}
	for _, word := range words {
		if !strings.Contains(c.Reason+": "+c.Message, word) {
			return fmt.Errorf("condition %s is %q with %s: %s, which does not say %q", c.Type, c.Status, c.Reason, c.Message, word)
		}
	}
	return nil
}

// host is that of the issuer: each story has its own, since of two providers with one issuer the younger is refused.
func (s *story) host() string { return s.namespace + ".example.com" }

// provider returns a manifest of an OIDCProvider "sso" with more lines of its spec.
func (s *story) provider(spec string) string {
	return `
apiVersion: oidc-operator.dev/v1alpha1
kind: OIDCProvider
metadata:
  name: sso
spec:
  issuer: https://` + s.host() + "\n" + indent(spec, 2)
}

const (
	inScratchSpace = "storage: {embedded: {emptyDir: {}}}"
	onPostgres     = "storage: {postgres: {dsnSecretRef: {name: database}}}"
)

// machine returns a manifest of an OIDCClient that logs in as itself.
func machine(name string) string {
	return `
apiVersion: oidc-operator.dev/v1alpha1
kind: OIDCClient
metadata:
  name: ` + name + `
spec:
  providerRef: {name: sso}
  grantTypes: [client_credentials]
  scopes: [reports]
`
}

// web returns a manifest of an OIDCClient that people log in to.
func web(name string) string {
	return `
apiVersion: oidc-operator.dev/v1alpha1
kind: OIDCClient
metadata:
  name: ` + name + `
spec:
  providerRef: {name: sso}
  redirectURIs: ["` + callback + `"]
`
}

const callback = "https://app.example.com/callback"

func indent(text string, by int) string {
	margin := strings.Repeat(" ", by)
	return margin + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+margin)
}

// secret returns a manifest.
func secret(name, kind string, data map[string][]byte) string {
	var values strings.Builder
	for key, value := range data {
		fmt.Fprintf(&values, "\n  %s: %s", key, base64.StdEncoding.EncodeToString(value))
	}
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ntype: %s\ndata:%s\n", name, cmp.Or(kind, "Opaque"), values.String())
}

// database starts a PostgreSQL that the story's pods reach, and writes the Secret "database", which says how.
func (s *story) database() *pgtest.Server {
	s.Helper()
	server := pgtest.NewOn(s.T, nodeAddress)
	s.apply(secret("database", "", map[string][]byte{"uri": []byte(server.Database(s.T))}))
	return server
}

// warnings returns the warnings of the story's namespace that hold one of the words, or all of them when there is no word.
func (s *story) warnings(words ...string) (found []string) {
	s.Helper()
	events := &corev1.EventList{}
	if err := k8s.List(context.Background(), events, client.InNamespace(s.namespace)); err != nil {
		s.Fatal(err)
	}
	for i := range events.Items {
		e := &events.Items[i]
		if e.Type != corev1.EventTypeWarning {
			continue
		}
		line := fmt.Sprintf("%s %s/%s: %s", e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Message)
		if matches(line, words) {
			found = append(found, line)
		}
	}
	return found
}

func matches(line string, words []string) bool {
	for _, word := range words {
		if strings.Contains(line, word) {
			return true
		}
	}
	return len(words) == 0
}

// expectNoWarnings fails the story when there are any.
func (s *story) expectNoWarnings(words ...string) {
	s.Helper()
	for _, line := range s.warnings(words...) {
		s.Errorf("there is a warning: %s", line)
	}
}

// pods returns the provider's pods, also those that are about to go.
func (s *story) pods() []corev1.Pod {
	s.Helper()
	pods := &corev1.PodList{}
	if err := k8s.List(context.Background(), pods, client.InNamespace(s.namespace), client.MatchingLabels{"app.kubernetes.io/instance": "sso"}); err != nil {
		s.Fatal(err)
	}
	return pods.Items
}

// restarts counts the restarts of the provider's containers.
func (s *story) restarts() (n int32) {
	s.Helper()
	for _, pod := range s.pods() {
		for i := range pod.Status.ContainerStatuses {
			n += pod.Status.ContainerStatuses[i].RestartCount
		}
	}
	return n
}

// explain shows what a developer would look at next.
func (s *story) explain() {
	show := func(args ...string) {
		out, err := kubectl(context.Background(), "", append([]string{"--namespace=" + s.namespace}, args...)...)
		if err != nil {
			out += err.Error()
		}
		s.Logf("kubectl %s\n%s", strings.Join(args, " "), out)
	}
	show("get", "oidc,pods,endpointslices,pvc", "-o", "wide")
	show("get", "oidcproviders,oidcclients", "-o", `jsonpath={range .items[*]}{.kind} {.metadata.name}{"\n"}{range .status.conditions[*]}  {.type}={.status} {.reason}: {.message}{"\n"}{end}{end}`)
	show("get", "events", "--sort-by=.lastTimestamp")
	show("logs", "--selector=app.kubernetes.io/instance=sso", "--prefix", "--tail=15", "--all-containers")
	show("logs", "--namespace="+operatorNamespace, "deployment/oidc-operator", "--tail=25")
}
