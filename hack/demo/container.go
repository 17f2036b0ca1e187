package main

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// containerCommand is what a container would run, for a process on this
// machine: the program's name, its arguments with $(VARIABLES) filled in, and
// its environment. Flags in override replace the container's: they name what
// differs outside of a pod, which is where to listen, where data lies and whose
// token to use.
func containerCommand(pod corev1.PodSpec, namespace, podName string, override map[string]string) (program string, args, env []string) {
	container := pod.Containers[0]
	values := map[string]string{}
	for _, v := range container.Env {
		switch {
		case v.ValueFrom == nil:
			values[v.Name] = v.Value
		case v.ValueFrom.FieldRef == nil:
		case v.ValueFrom.FieldRef.FieldPath == "metadata.name":
			values[v.Name] = podName
		case v.ValueFrom.FieldRef.FieldPath == "metadata.namespace":
			values[v.Name] = namespace
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	words := slices.Concat(container.Command, container.Args)
	if len(container.Command) == 0 {
		words = slices.Insert(words, 0, "operator") // the image's entrypoint
	}
	for i, word := range words {
		words[i] = variable.ReplaceAllStringFunc(word, func(ref string) string {
			if value, ok := values[ref[2:len(ref)-1]]; ok {
				return value
			}
			return ref // as Kubernetes does
		})
	}
	return path.Base(words[0]), overrideFlags(words[1:], override), env
}

var variable = regexp.MustCompile(`\$\([A-Za-z_][A-Za-z0-9_]*\)`)

// overrideFlags drops the flags that are overridden, written as --name=value or
// as --name value, and appends the new ones.
func overrideFlags(args []string, override map[string]string) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, _, hasValue := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if _, overridden := override[name]; !overridden || !strings.HasPrefix(args[i], "-") {
			kept = append(kept, args[i])
			continue
		}
		if !hasValue && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(override)) {
		kept = append(kept, "--"+name+"="+override[name])
	}
	return kept
}
