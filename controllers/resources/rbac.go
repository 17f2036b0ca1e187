package resources

import (
	rbacv1 "k8s.io/api/rbac/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	arbacv1 "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// ServiceAccount is the identity of the provider's pods.
func ServiceAccount(p *v1alpha1.OIDCProvider) *acorev1.ServiceAccountApplyConfiguration {
	return owned(p, acorev1.ServiceAccount(p.Name, p.Namespace))
}

// Role lets the provider read registrations, and write its replica report, in its own namespace and nothing else.
func Role(p *v1alpha1.OIDCProvider) *arbacv1.RoleApplyConfiguration {
	return owned(p, arbacv1.Role(p.Name, p.Namespace)).WithRules(
		arbacv1.PolicyRule().WithAPIGroups("").WithResources("secrets").WithVerbs("get", "list", "watch"),
		arbacv1.PolicyRule().WithAPIGroups("coordination.k8s.io").WithResources("leases").
			WithVerbs("get", "list", "create", "patch", "update", "delete"))
}

// RoleBinding gives the Role to the ServiceAccount.
func RoleBinding(p *v1alpha1.OIDCProvider) *arbacv1.RoleBindingApplyConfiguration {
	return owned(p, arbacv1.RoleBinding(p.Name, p.Namespace)).
		WithRoleRef(arbacv1.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("Role").WithName(p.Name)).
		WithSubjects(arbacv1.Subject().WithKind(rbacv1.ServiceAccountKind).WithName(p.Name).WithNamespace(p.Namespace))
}
