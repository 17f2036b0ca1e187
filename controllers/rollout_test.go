package controllers

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/resources"
	"github.com/oidc-operator/oidc-operator/test/gen"
)

// podOf returns a pod of a provider whose container is in a state.
func podOf(name string, created time.Time, status corev1.ContainerStatus) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(created)},
		Status:     corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{status}},
	}
}

func waitingFor(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func crashed(reason string, code int32, message string) corev1.ContainerStatus {
	status := waitingFor("CrashLoopBackOff", "back-off 10s restarting failed container")
	status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, Message: message}
	return status
}

func serving(name string) corev1.Pod {
	pod := podOf(name, time.Time{}, corev1.ContainerStatus{Ready: true})
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	return pod
}

func TestExplainPods(t *testing.T) {
	now := time.Now()
	unschedulable := podOf("new", now, corev1.ContainerStatus{})
	unschedulable.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes are available:\n1 node(s) didn't match"}}
	restarted := crashed("OOMKilled", 137, "")
	restarted.State, restarted.RestartCount = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, 3
	leaving := podOf("leaving", now, crashed("Error", 1, "x"))
	leaving.DeletionTimestamp = new(metav1.Now())
	gone := podOf("gone", now, crashed("Error", 1, "x"))
	gone.Status.Phase = corev1.PodFailed
	for name, test := range map[string]struct {
		pods   []corev1.Pod
		absent []string
		want   string
	}{
		"all serve":        {[]corev1.Pod{serving("a"), leaving, gone}, nil, ""},
		"no image":         {[]corev1.Pod{podOf("a", now, waitingFor("ImagePullBackOff", `Back-off pulling image "x"`))}, nil, `pod "a": ImagePullBackOff: Back-off pulling image "x"`},
		"no such key":      {[]corev1.Pod{podOf("a", now, waitingFor("CreateContainerConfigError", `secret "x" not found`))}, nil, `pod "a": CreateContainerConfigError: secret "x" not found`},
		"nowhere":          {[]corev1.Pod{unschedulable}, nil, `pod "new": Unschedulable: 0/1 nodes are available: 1 node(s) didn't match`},
		"last words":       {[]corev1.Pod{podOf("a", now, crashed("Error", 1, "noise\n{\"level\":\"ERROR\",\"msg\":\"provider stopped\",\"error\":\"schema is newer\"}\n"))}, nil, `pod "a": CrashLoopBackOff: Error (exit code 1): provider stopped: schema is newer`},
		"plain last words": {[]corev1.Pod{podOf("a", now, crashed("Error", 2, "exec format error"))}, nil, `pod "a": CrashLoopBackOff: Error (exit code 2): exec format error`},
		"no words":         {[]corev1.Pod{podOf("a", now, crashed("OOMKilled", 137, ""))}, nil, `pod "a": CrashLoopBackOff: OOMKilled (exit code 137)`},
		"between crashes":  {[]corev1.Pod{podOf("a", now, restarted)}, nil, `pod "a": restarted 3 times: OOMKilled (exit code 137)`},
		"many words":       {[]corev1.Pod{podOf("a", now, crashed("Error", 1, strings.Repeat("x", 5000)))}, nil, `pod "a": CrashLoopBackOff: Error (exit code 1): ` + strings.Repeat("x", maxPodWords) + "…"},
		"still starting":   {[]corev1.Pod{podOf("a", now, corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}})}, nil, `pod "a": runs and is not ready yet; its log tells what it waits for`},
		"cannot mount":     {[]corev1.Pod{podOf("a", now, waitingFor("ContainerCreating", ""))}, []string{`Secret "pg" does not exist`}, `pod "a": ContainerCreating: its image and volumes are being prepared: Secret "pg" does not exist`},
		"youngest first":   {[]corev1.Pod{podOf("old", now.Add(-time.Hour), crashed("Error", 1, "old")), podOf("new", now, crashed("Error", 1, "new"))}, nil, `pod "new": CrashLoopBackOff: Error (exit code 1): new`},
		"faults first":     {[]corev1.Pod{podOf("new", now, waitingFor("ContainerCreating", "")), podOf("old", now.Add(-time.Hour), crashed("Error", 1, "old"))}, nil, `pod "old": CrashLoopBackOff: Error (exit code 1): old`},
		"no pod at all":    {nil, []string{"x"}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := explainPods(unreadyPods(test.pods), test.absent); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestJudgeRollout(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	deployment := func(change func(*appsv1.Deployment)) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "sso", Generation: 2, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))}}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 2}
		change(d)
		return d
	}
	done := deployment(func(*appsv1.Deployment) {})
	lacking := deployment(func(d *appsv1.Deployment) { d.Status.Replicas, d.Status.UpdatedReplicas = 3, 1 })
	stuck := func(ago time.Duration) []corev1.Pod {
		return []corev1.Pod{serving("old"), podOf("new", now.Add(-ago), waitingFor("ImagePullBackOff", "no"))}
	}
	quota := deployment(func(d *appsv1.Deployment) {
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, LastUpdateTime: metav1.NewTime(now.Add(-resources.ProgressDeadline))},
			{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota"},
		}}
	})
	for name, test := range map[string]struct {
		rollout rollout
		reason  string
		outcome outcome
		says    string
	}{
		"done":                     {rollout{deployment: done}, v1alpha1.ReasonRolledOut, 0, ""},
		"no Deployment":            {rollout{}, v1alpha1.ReasonRollingOut, waiting, "does not exist yet"},
		"changed just now":         {rollout{deployment: done, written: true}, v1alpha1.ReasonRollingOut, waiting, "changed just now"},
		"not looked at":            {rollout{deployment: deployment(func(d *appsv1.Deployment) { d.Generation = 3 })}, v1alpha1.ReasonRollingOut, waiting, "changed just now"},
		"never looked at":          {rollout{deployment: deployment(func(d *appsv1.Deployment) { d.Status = appsv1.DeploymentStatus{} })}, v1alpha1.ReasonRollingOut, waiting, "changed just now"},
		"nobody runs Deployments":  {rollout{deployment: deployment(func(d *appsv1.Deployment) { d.Status = appsv1.DeploymentStatus{} }), unmanaged: true}, v1alpha1.ReasonRolledOut, 0, ""},
		"from outside the cluster": {rollout{deployment: lacking, pods: stuck(time.Second), unmanaged: true}, v1alpha1.ReasonRollingOut, waiting, "ImagePullBackOff"},
		"one is old":               {rollout{deployment: deployment(func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 })}, v1alpha1.ReasonProgressDeadlineExceeded, stalled, "1 of 2 replicas are updated, 2 available"},
		"old ones are left":        {rollout{deployment: deployment(func(d *appsv1.Deployment) { d.Status.Replicas = 3 }), pods: stuck(0)}, v1alpha1.ReasonRollingOut, waiting, ""},
		"one is not available":     {rollout{deployment: deployment(func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 1 }), pods: stuck(0)}, v1alpha1.ReasonRollingOut, waiting, "2 of 2 replicas are updated, 1 available"},
		"within the deadline":      {rollout{deployment: lacking, pods: stuck(resources.ProgressDeadline - time.Second)}, v1alpha1.ReasonRollingOut, waiting, `pod "new": ImagePullBackOff: no`},
		"after the deadline":       {rollout{deployment: lacking, pods: stuck(resources.ProgressDeadline)}, v1alpha1.ReasonProgressDeadlineExceeded, stalled, `pod "new": ImagePullBackOff: no`},
		"no pod can be made":       {rollout{deployment: quota}, v1alpha1.ReasonProgressDeadlineExceeded, stalled, "exceeded quota"},
		"settings not applied":     {rollout{deployment: done, behind: []string{"a", "b"}}, v1alpha1.ReasonAwaitingReplicas, waiting, "a, b"},
	} {
		t.Run(name, func(t *testing.T) {
			p := gen.OIDCProvider("sso", "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(2)) })
			v, deadline := judgeRollout(p, test.rollout, now)
			if v.reason != test.reason || v.outcome != test.outcome || !strings.Contains(v.message, test.says) {
				t.Errorf("got %+v", v)
			}
			if unready := unreadyPods(test.rollout.pods); len(unready) > 0 && v.outcome == waiting {
				if want := unready[0].CreationTimestamp.Add(resources.ProgressDeadline); !deadline.Equal(want) {
					t.Errorf("looks again at %v, want %v", deadline, want)
				}
			}
		})
	}
	stopped := gen.OIDCProvider("sso", "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.Replicas = new(int32(0)) })
	if v, _ := judgeRollout(stopped, rollout{deployment: lacking}, now); v.reason != v1alpha1.ReasonRolledOut {
		t.Errorf("stopped: got %+v", v)
	}
}

func TestExposedBy(t *testing.T) {
	with := func(port string, ready bool) corev1.Pod {
		pod := podOf(port, time.Time{}, corev1.ContainerStatus{})
		if ready {
			pod = serving(port)
		}
		pod.Spec.Containers = []corev1.Container{{Name: resources.ContainerName, Ports: []corev1.ContainerPort{{Name: port}}}}
		return pod
	}
	leaving := with("http", true)
	leaving.DeletionTimestamp = new(metav1.Now())
	for name, test := range map[string]struct {
		pods    []corev1.Pod
		ports   string
		backend string
	}{
		"no pod yet":             {nil, "https", "https"},
		"only new ones":          {[]corev1.Pod{with("https", true)}, "https", "https"},
		"just switched on":       {[]corev1.Pod{with("http", true)}, "https http", "http"},
		"the first one starts":   {[]corev1.Pod{with("http", true), with("https", false)}, "https http", "http"},
		"the first one serves":   {[]corev1.Pod{with("http", true), with("https", true)}, "https http", "https"},
		"the last one goes":      {[]corev1.Pod{leaving, with("https", true)}, "https http", "https"},
		"none serves (Recreate)": {[]corev1.Pod{leaving}, "https http", "https"},
	} {
		t.Run(name, func(t *testing.T) {
			p := gen.OIDCProvider("sso", "sso", func(p *v1alpha1.OIDCProvider) { p.Spec.TLS = &v1alpha1.ProviderTLS{SecretName: "id-tls"} })
			got := resources.ExposedBy(p, test.pods, podServes)
			var names []string
			for _, port := range got.Ports {
				names = append(names, port.Name)
			}
			if strings.Join(names, " ") != test.ports || got.Backend.Name != test.backend {
				t.Errorf("got %v, %s", names, got.Backend.Name)
			}
			service := resources.Service(p, got)
			if len(service.Spec.Ports) != len(got.Ports) || *service.Spec.Ports[0].Port != 443 || service.Spec.Ports[0].TargetPort.StrVal != "https" {
				t.Errorf("got %+v", service.Spec.Ports)
			}
		})
	}
}

func TestUniqueIssuer(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://id.example.com":          "https://id.example.com",
		"https://ID.example.com":          "https://id.example.com",
		"https://id.example.com/":         "https://id.example.com",
		"https://id.example.com.":         "https://id.example.com",
		"https://id.example.com:443":      "https://id.example.com",
		"https://id.example.com:8443":     "https://id.example.com:8443",
		"https://id.example.com/a":        "https://id.example.com/a",
		"https://id.example.com/a/":       "https://id.example.com/a",
		"https://id.example.com/A":        "https://id.example.com/A",
		"https://[2001:db8::1]/":          "https://2001:db8::1",
		"http://localhost:8080":           "",
		"https://localhost":               "",
		"http://id.example.com/not-https": "",
	} {
		if got := uniqueIssuer(gen.OIDCProvider("sso", "sso", gen.WithIssuer(issuer))); got != want {
			t.Errorf("%s: got %q, want %q", issuer, got, want)
		}
	}
}
