package controllers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
)

// maxPodWords is how many bytes of what a pod says go into a message.
const maxPodWords = 500

// slimPod keeps of a provider's pod what tells whether it serves, on which ports, and why not.
func slimPod(obj any) (any, error) {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return obj, nil
	}
	pod.ManagedFields, pod.Annotations = nil, nil
	var containers []corev1.Container
	for _, c := range pod.Spec.Containers {
		containers = append(containers, corev1.Container{Name: c.Name, Ports: c.Ports})
	}
	pod.Spec = corev1.PodSpec{Containers: containers}
	pod.Status = corev1.PodStatus{
		Phase: pod.Status.Phase, Conditions: pod.Status.Conditions,
		InitContainerStatuses: pod.Status.InitContainerStatuses, ContainerStatuses: pod.Status.ContainerStatuses,
	}
	return pod, nil
}

func podCondition(pod *corev1.Pod, conditionType corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == conditionType {
			return c
		}
	}
	return corev1.PodCondition{}
}

// podServes reports whether a pod is an endpoint of its Service.
func podServes(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && podCondition(pod, corev1.PodReady).Status == corev1.ConditionTrue
}

func podEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// unreadyPods returns the pods that should serve and do not, the youngest first: in a rollout that is stuck these are the new ones.
func unreadyPods(pods []corev1.Pod) []*corev1.Pod {
	var unready []*corev1.Pod
	for i := range pods {
		if pod := &pods[i]; pod.DeletionTimestamp == nil && !podEnded(pod) && !podServes(pod) {
			unready = append(unready, pod)
		}
	}
	slices.SortFunc(unready, func(a, b *corev1.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return unready
}

// unreadySince returns since when the last of the pods that should serve has not, or zero.
func unreadySince(unready []*corev1.Pod) time.Time {
	var since time.Time
	for _, pod := range unready {
		since = laterOf(since, pod.CreationTimestamp.Time)
		since = laterOf(since, podCondition(pod, corev1.PodReady).LastTransitionTime.Time)
	}
	return since
}

// explainPods says why pods do not serve: what the first of them with something to say says. absent are the Secrets, ConfigMaps and
// volumes that pods need and that cannot be mounted.
func explainPods(unready []*corev1.Pod, absent []string) string {
	var waits string
	for _, pod := range unready {
		words, telling := podWords(pod)
		if telling {
			return fmt.Sprintf("pod %q: %s", pod.Name, words)
		}
		if waits == "" {
			waits = fmt.Sprintf("pod %q: %s", pod.Name, words)
		}
	}
	if len(absent) > 0 {
		return strings.TrimPrefix(waits+": "+strings.Join(absent, "; "), ": ")
	}
	return waits
}

// podWords returns what a pod's status says, and whether that is a fault and not just a pod that starts.
func podWords(pod *corev1.Pod) (words string, telling bool) {
	if c := podCondition(pod, corev1.PodScheduled); c.Status == corev1.ConditionFalse {
		return fmt.Sprintf("%s: %s", cmp.Or(c.Reason, corev1.PodReasonUnschedulable), brief(c.Message)), true
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		last := status.LastTerminationState.Terminated
		switch waiting, ended := status.State.Waiting, status.State.Terminated; {
		case waiting != nil && waiting.Reason == "CrashLoopBackOff":
			return "CrashLoopBackOff: " + lastWords(last, waiting.Message), true
		case waiting != nil && waiting.Reason != "" && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing":
			return strings.TrimSuffix(waiting.Reason+": "+brief(waiting.Message), ": "), true
		case ended != nil && ended.ExitCode != 0:
			return lastWords(ended, ""), true
		case status.State.Running != nil && !status.Ready && last != nil && last.ExitCode != 0:
			return fmt.Sprintf("restarted %d times: %s", status.RestartCount, lastWords(last, "")), true
		case status.State.Running != nil && !status.Ready:
			return "runs and is not ready yet; its log tells what it waits for", false
		}
	}
	return "ContainerCreating: its image and volumes are being prepared", false
}

// lastWords returns how a container has ended and what it said last, or otherwise.
func lastWords(ended *corev1.ContainerStateTerminated, otherwise string) string {
	if ended == nil {
		return brief(otherwise)
	}
	words := fmt.Sprintf("%s (exit code %d)", cmp.Or(ended.Reason, "Error"), ended.ExitCode)
	if said := lastLine(ended.Message); said != "" {
		words += ": " + said
	}
	return words
}

// lastLine returns what a container said last: its error where the line is a record of our log, or the line as it is.
func lastLine(message string) string {
	lines := strings.Split(strings.TrimSpace(message), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	var record struct{ Msg, Error string }
	if json.Unmarshal([]byte(line), &record) == nil && record.Msg+record.Error != "" {
		line = strings.TrimSuffix(strings.TrimPrefix(record.Msg+": "+record.Error, ": "), ": ")
	}
	return brief(line)
}

// brief returns text as one line of printable characters, cut off at maxPodWords bytes.
func brief(text string) string {
	text = strings.TrimSpace(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), " "))
	if len(text) > maxPodWords {
		text = strings.ToValidUTF8(text[:maxPodWords], "") + "…"
	}
	return text
}
