package main

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestContainerCommand(t *testing.T) {
	pod := corev1.PodSpec{Containers: []corev1.Container{{
		Command: []string{"/provider"},
		Args:    []string{"serve", "--listen=:8080", "--replica-name=$(POD_NAME)", "--data-dir", "/data", "--namespace=$(NAMESPACE)", "--other=$(UNKNOWN)"},
		Env: []corev1.EnvVar{
			{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			{Name: "NAMESPACE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}}},
			{Name: "POD_UID", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.uid"}}},
			{Name: "GOMEMLIMIT", Value: "100MiB"},
		},
	}}}
	program, args, env := containerCommand(pod, "sso", "sso-demo", map[string]string{"listen": "127.0.0.1:8080", "data-dir": "here"})

	if program != "provider" {
		t.Errorf("program is %q", program)
	}
	wantArgs := []string{"serve", "--replica-name=sso-demo", "--namespace=sso", "--other=$(UNKNOWN)", "--data-dir=here", "--listen=127.0.0.1:8080"}
	if !slices.Equal(args, wantArgs) {
		t.Errorf("arguments are\n%q, want\n%q", args, wantArgs)
	}
	// There is no Pod, and so no UID that an owner reference could name.
	wantEnv := []string{"GOMEMLIMIT=100MiB", "NAMESPACE=sso", "POD_NAME=sso-demo"}
	if !slices.Equal(env, wantEnv) {
		t.Errorf("environment is %q, want %q", env, wantEnv)
	}
}

func TestContainerCommandOfTheEntrypoint(t *testing.T) {
	pod := corev1.PodSpec{Containers: []corev1.Container{{Args: []string{"--leader-elect"}}}}
	program, args, _ := containerCommand(pod, "n", "p", map[string]string{"leader-elect": "false"})
	if program != "operator" || !slices.Equal(args, []string{"--leader-elect=false"}) {
		t.Errorf("would run %s %q", program, args)
	}
}
