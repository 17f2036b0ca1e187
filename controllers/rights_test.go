package controllers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// Of the resources that people write the operator may read all, write the status, and create a provider's default SigningKey and take that back.
func TestOperatorMayNotChangeSpecs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(data, role); err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, rule := range role.Rules {
		if slices.Contains(rule.APIGroups, "*") || slices.Contains(rule.Resources, "*") || slices.Contains(rule.Verbs, "*") {
			t.Errorf("a wildcard: %+v", rule)
		}
		if !slices.Contains(rule.APIGroups, v1alpha1.GroupName) {
			continue
		}
		for _, resource := range rule.Resources {
			ours++
			allowed := []string{"get", "list", "watch"}
			switch {
			case strings.HasSuffix(resource, "/status"):
				allowed = []string{"patch"}
			case resource == "signingkeys":
				allowed = append(allowed, "create", "delete")
			}
			for _, verb := range rule.Verbs {
				if !slices.Contains(allowed, verb) {
					t.Errorf("may %s %s", verb, resource)
				}
			}
		}
	}
	if ours != 8 {
		t.Errorf("%d rules about resources of ours and their status", ours)
	}
}
