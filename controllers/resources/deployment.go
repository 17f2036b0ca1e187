package resources

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	aappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	ametav1 "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// Names and numbers of a provider's pod.
const (
	ContainerName = "provider"
	dataDir       = "/var/lib/oidc-provider"
	tlsDir        = "/etc/oidc-provider/tls"
	dsnDir        = "/etc/oidc-provider/postgres"
	dsnFile       = "dsn"
	dsnFileMode   = int32(0o440)
	portHTTP      = int32(8080)
	portHTTPS     = int32(8443)
	portAdmin     = int32(8081)
	userID        = int64(65532) // "nonroot" of the image
	memoryLimit   = "GOMEMLIMIT"
)

// ProgressDeadline is how long a rollout may stand still before it counts as stuck: longer than it takes a node to come or a volume to be
// attached, as a rule, and short enough for who waits for it.
const ProgressDeadline = 3 * time.Minute

// AnnotationDSNDigest is on the pods of a provider with a PostgreSQL database: a keyed digest of how to reach it. A process
// reads that when it starts, so that a change of it has to replace the pods.
const AnnotationDSNDigest = "oidc-operator.dev/dsn-digest"

// Deployment runs the provider with the given image. dsnDigest is the value of AnnotationDSNDigest, or "".
func Deployment(p *v1alpha1.OIDCProvider, image, dsnDigest string) *aappsv1.DeploymentApplyConfiguration {
	podLabels := selector(p)
	podLabels[LabelManagedBy] = ManagedBy
	maps.Copy(podLabels, p.Spec.Template.Labels)
	template := acorev1.PodTemplateSpec().
		WithLabels(podLabels).
		WithAnnotations(p.Spec.Template.Annotations).
		WithSpec(podSpec(p, image))
	if dsnDigest != "" {
		template.WithAnnotations(map[string]string{AnnotationDSNDigest: dsnDigest})
	}
	return owned(p, aappsv1.Deployment(p.Name, p.Namespace)).WithSpec(aappsv1.DeploymentSpec().
		WithReplicas(p.DesiredReplicas()).
		WithRevisionHistoryLimit(3).
		WithProgressDeadlineSeconds(int32(ProgressDeadline / time.Second)).
		WithStrategy(strategy(p)).
		WithSelector(ametav1.LabelSelector().WithMatchLabels(selector(p))).
		WithTemplate(template))
}

// strategy replaces pods without an interruption where they share a database. A SQLite database must not be opened by the
// next pod before the last one has closed it.
func strategy(p *v1alpha1.OIDCProvider) *aappsv1.DeploymentStrategyApplyConfiguration {
	if p.Spec.Storage.Postgres == nil {
		return aappsv1.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	}
	return aappsv1.DeploymentStrategy().
		WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(aappsv1.RollingUpdateDeployment().
			WithMaxUnavailable(intstr.FromInt32(0)).
			WithMaxSurge(intstr.FromInt32(1)))
}

func podSpec(p *v1alpha1.OIDCProvider, image string) *acorev1.PodSpecApplyConfiguration {
	spec := acorev1.PodSpec().
		WithServiceAccountName(p.Name).
		WithTerminationGracePeriodSeconds(30).
		WithEnableServiceLinks(false).
		WithSecurityContext(acorev1.PodSecurityContext().
			WithRunAsNonRoot(true).
			WithRunAsUser(userID).
			WithRunAsGroup(userID).
			WithFSGroup(userID).
			WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
			WithSeccompProfile(acorev1.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(container(p, image)).
		WithVolumes(storageVolume(p)).
		WithTopologySpreadConstraints(spread(p)...).
		WithNodeSelector(p.Spec.Template.NodeSelector)
	if p.Spec.TLS != nil {
		spec.WithVolumes(acorev1.Volume().WithName("tls").
			WithSecret(acorev1.SecretVolumeSource().WithSecretName(p.Spec.TLS.SecretName)))
	}
	for i := range p.Spec.Template.Tolerations {
		spec.WithTolerations(toleration(&p.Spec.Template.Tolerations[i]))
	}
	if p.Spec.Template.Affinity != nil {
		spec.WithAffinity(convert[acorev1.AffinityApplyConfiguration](p.Spec.Template.Affinity))
	}
	return spec
}

func container(p *v1alpha1.OIDCProvider, image string) *acorev1.ContainerApplyConfiguration {
	port, _ := Ports(p)
	c := acorev1.Container().
		WithName(ContainerName).
		WithImage(image).
		WithCommand("/provider").
		WithArgs(args(p)...).
		WithEnv(env(p)...).
		WithPorts(
			acorev1.ContainerPort().WithName(port.Name).WithContainerPort(port.container).WithProtocol(corev1.ProtocolTCP),
			acorev1.ContainerPort().WithName("admin").WithContainerPort(portAdmin).WithProtocol(corev1.ProtocolTCP)).
		WithVolumeMounts(storageMount(p)).
		WithResources(containerResources(p)).
		WithStartupProbe(startupProbe()).
		WithReadinessProbe(probe("/readyz").WithPeriodSeconds(10).WithTimeoutSeconds(3)).
		WithLivenessProbe(probe("/healthz").WithPeriodSeconds(10).WithTimeoutSeconds(5).WithFailureThreshold(6)).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		WithSecurityContext(acorev1.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(acorev1.Capabilities().WithDrop("ALL")))
	if p.Spec.TLS != nil {
		c.WithVolumeMounts(acorev1.VolumeMount().WithName("tls").WithMountPath(tlsDir).WithReadOnly(true))
	}
	return c
}

func args(p *v1alpha1.OIDCProvider) []string {
	a := []string{
		"serve",
		"--issuer=" + strings.ReplaceAll(p.Spec.Issuer, "$(", "$$("), // or the kubelet would expand it
		"--provider-name=" + p.Name,
		"--namespace=" + p.Namespace,
	}
	if p.Spec.Storage.Postgres != nil {
		a = append(a, "--postgres-dsn-file="+dsnDir+"/"+dsnFile)
	} else {
		a = append(a, "--data-dir="+dataDir, "--data-size="+strconv.FormatInt(dataSize(p).Value(), 10))
	}
	if len(p.Spec.TrustedProxies) > 0 {
		a = append(a, "--trusted-proxies="+strings.Join(p.Spec.TrustedProxies, ","))
	}
	if p.Spec.TLS != nil {
		a = append(a, "--tls-cert-file="+tlsDir+"/tls.crt", "--tls-key-file="+tlsDir+"/tls.key")
	}
	return a
}

// env identifies the pod to the provider, for its replica report, and tells it its memory; the template's own variables
// come after.
func env(p *v1alpha1.OIDCProvider) []*acorev1.EnvVarApplyConfiguration {
	field := func(name, path string) *acorev1.EnvVarApplyConfiguration {
		return acorev1.EnvVar().WithName(name).WithValueFrom(acorev1.EnvVarSource().
			WithFieldRef(acorev1.ObjectFieldSelector().WithAPIVersion("v1").WithFieldPath(path)))
	}
	vars := []*acorev1.EnvVarApplyConfiguration{field("POD_NAME", "metadata.name"), field("POD_UID", "metadata.uid")}
	if !slices.ContainsFunc(p.Spec.Template.Env, func(v corev1.EnvVar) bool { return v.Name == memoryLimit }) {
		// The garbage collector works harder before the container's limit is reached.
		vars = append(vars, acorev1.EnvVar().WithName(memoryLimit).WithValueFrom(acorev1.EnvVarSource().
			WithResourceFieldRef(acorev1.ResourceFieldSelector().WithResource("limits.memory").WithDivisor(resource.MustParse("1")))))
	}
	for i := range p.Spec.Template.Env {
		vars = append(vars, convert[acorev1.EnvVarApplyConfiguration](&p.Spec.Template.Env[i]))
	}
	return vars
}

func containerResources(p *v1alpha1.OIDCProvider) *acorev1.ResourceRequirementsApplyConfiguration {
	if p.Spec.Template.Resources != nil {
		return convert[acorev1.ResourceRequirementsApplyConfiguration](p.Spec.Template.Resources)
	}
	return acorev1.ResourceRequirements().
		WithRequests(corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("50m"),
			corev1.ResourceMemory: resource.MustParse("64Mi"),
		}).
		WithLimits(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")})
}

// startupProbe asks once: /startupz answers as soon as the provider is ready, after 20 seconds in any case. A pod is ready as soon as it
// can be, and no probe fails because it came too early: the kubelet would ask at any time of the first second, and one process in ten
// does not listen yet then. Only afterwards the kubelet asks for the rest, and for readiness at once.
func startupProbe() *acorev1.ProbeApplyConfiguration {
	return probe("/startupz").WithInitialDelaySeconds(1).WithPeriodSeconds(1).WithTimeoutSeconds(25).WithFailureThreshold(30)
}

func probe(path string) *acorev1.ProbeApplyConfiguration {
	return acorev1.Probe().WithHTTPGet(acorev1.HTTPGetAction().WithPath(path).WithPort(intstr.FromString("admin")))
}

// spread keeps the pods that share a database on different nodes and in different zones, as far as there are any. Each
// ReplicaSet is spread by itself, or a rolling update would be weighed against the pods that are about to go.
func spread(p *v1alpha1.OIDCProvider) []*acorev1.TopologySpreadConstraintApplyConfiguration {
	if p.Spec.Storage.Postgres == nil {
		return nil
	}
	over := func(topology string) *acorev1.TopologySpreadConstraintApplyConfiguration {
		return acorev1.TopologySpreadConstraint().
			WithMaxSkew(1).
			WithTopologyKey(topology).
			WithWhenUnsatisfiable(corev1.ScheduleAnyway).
			WithLabelSelector(ametav1.LabelSelector().WithMatchLabels(selector(p))).
			WithMatchLabelKeys(appsv1.DefaultDeploymentUniqueLabelKey)
	}
	return []*acorev1.TopologySpreadConstraintApplyConfiguration{over(corev1.LabelHostname), over(corev1.LabelTopologyZone)}
}

func toleration(t *corev1.Toleration) *acorev1.TolerationApplyConfiguration {
	return convert[acorev1.TolerationApplyConfiguration](t)
}
