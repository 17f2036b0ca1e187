package controllers

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// random names what is another value in every run: keys of objects, documents and annotations. Nothing of it is compared but where else
// the same value stands.
func random() *regexp.Regexp {
	return regexp.MustCompile(`"(uid|owner|id|kid|keyID|activeKeyID|secretID|currentSecretID|hash|password_hash|pairwise_salt|sub|subject|client_secret|password|` +
		`key_id|tls\.key|d|x|y|n|p|q|dp|dq|qi|oidc-operator\.dev/owner-uid|oidc-operator\.dev/registration-uid|oidc-operator\.dev/credentials-uid|oidc-operator\.dev/revoke|oidc-operator\.dev/restarted-for)":"([^"]+)"`)
}

// normal returns a text of everything that stands, in which nothing differs from run to run: no names of namespaces, no random values, no
// versions, and times as what has passed since start. Reports of replicas and what people make are not in it.
func (r *rig) normal(start time.Time) string {
	r.t.Helper()
	var texts []string
	for _, obj := range r.mirror.all() {
		switch obj.(type) {
		case *coordinationv1.Lease, *corev1.Namespace:
			continue
		}
		texts = append(texts, r.normalObject(obj, start))
	}
	tokens := map[string]bool{}
	for _, text := range texts {
		for _, m := range random().FindAllStringSubmatch(text, -1) {
			if len(m[2]) >= 8 {
				tokens[m[2]] = true
			}
		}
	}
	number := func(text string, placeholder func(token string) string) string {
		var found []string
		for token := range tokens {
			if strings.Contains(text, token) {
				found = append(found, token)
			}
		}
		slices.SortFunc(found, func(a, b string) int {
			if order := len(b) - len(a); order != 0 {
				return order
			}
			return strings.Index(text, a) - strings.Index(text, b)
		})
		for _, token := range found {
			text = strings.ReplaceAll(text, token, placeholder(token))
		}
		return text
	}
	slices.SortFunc(texts, func(a, b string) int {
		blank := func(string) string { return "?" }
		return strings.Compare(number(a, blank), number(b, blank))
	})
	whole, numbers := strings.Join(texts, "\n"), map[string]string{}
	var order []string
	for token := range tokens {
		order = append(order, token)
	}
	slices.SortFunc(order, func(a, b string) int { return strings.Index(whole, a) - strings.Index(whole, b) })
	for i, token := range order {
		numbers[token] = fmt.Sprintf("#%d", i)
	}
	return number(whole, func(token string) string { return numbers[token] })
}

func (r *rig) normalObject(obj client.Object, start time.Time) string {
	r.t.Helper()
	gvk, err := apiutil.GVKForObject(obj, r.mirror.Scheme())
	r.must(err)
	content, err := toMap(obj)
	r.must(err)
	if secret, is := obj.(*corev1.Secret); is {
		data := map[string]any{}
		for key, value := range secret.Data {
			var document any
			if json.Unmarshal(value, &document) == nil {
				data[key] = document
			} else {
				data[key] = string(value)
			}
		}
		content["data"] = data
	}
	content["kind"] = gvk.Kind
	delete(content, "apiVersion")
	normalValues(content)
	text, err := json.Marshal(content)
	r.must(err)
	times := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:[0-9.]+Z`)
	text = times.ReplaceAllFunc(text, func(found []byte) []byte {
		at, err := time.Parse(time.RFC3339, string(found))
		r.must(err)
		return []byte("start+" + at.Sub(start).Round(10*time.Minute).String())
	})
	hash := regexp.MustCompile(`-(client|user|signing-key)-[0-9a-f]{20}`)
	return hash.ReplaceAllString(strings.NewReplacer(r.namespace, "NAMESPACE", r.apps, "APPS").Replace(string(text)), "-$1-NAME")
}

// normalValues removes what tells when and how often something was written.
func normalValues(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range []string{
			"resourceVersion", "creationTimestamp", "managedFields", "lastTransitionTime",
			annotationApplied, annotationServedSince, annotationPasswordSource, "updated_at", "clusterIP", "clusterIPs",
		} {
			delete(value, key)
		}
		if used, is := value["used"].([]any); is { // key IDs of keys that stand nowhere else
			value["used"] = len(used)
		}
		for _, inner := range value {
			normalValues(inner)
		}
	case []any:
		for _, inner := range value {
			normalValues(inner)
		}
	}
}
