package controllers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// argoCD tells the health of resources as Argo CD does with config/argocd.
type argoCD map[string]string // script by kind

func newArgoCD(t *testing.T) argoCD {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "config", "argocd", "argocd-cm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := &corev1.ConfigMap{}
	if err := yaml.UnmarshalStrict(data, config); err != nil {
		t.Fatal(err)
	}
	scripts := argoCD{}
	for _, kind := range []string{kindProvider, kindSigningKey, kindClient, kindUser} {
		scripts[kind] = config.Data["resource.customizations.health.oidc-operator.dev_"+kind]
		if scripts[kind] == "" {
			t.Fatalf("config/argocd has no script for %s", kind)
		}
	}
	return scripts
}

// health runs the script of a kind, with what Argo CD's interpreter gives it and no more.
func (a argoCD) health(t *testing.T, kind string, obj map[string]any) (status, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", luaValue(state, obj))
	if err := state.DoString(a[kind]); err != nil {
		t.Fatalf("script of %s: %v", kind, err)
	}
	result, is := state.Get(-1).(*lua.LTable)
	if !is {
		t.Fatalf("the script of %s returns %s", kind, state.Get(-1).Type())
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, inner := range value {
			table.RawSetString(key, luaValue(state, inner))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, inner := range value {
			table.Append(luaValue(state, inner))
		}
		return table
	case string:
		return lua.LString(value)
	case float64:
		return lua.LNumber(value)
	case int64:
		return lua.LNumber(value)
	case bool:
		return lua.LBool(value)
	default:
		return lua.LNil
	}
}

// healthOf is what docs/gitops.md promises to whoever uses Argo CD, by what kstatus says.
func healthOf(said status.Status, content map[string]any) string {
	spec, _ := content["spec"].(map[string]any)
	off := spec["disabled"] == true
	stopped := spec["replicas"] == float64(0) || spec["replicas"] == int64(0)
	switch {
	case said == status.CurrentStatus && off, said == status.FailedStatus && stopped:
		return "Suspended"
	case said == status.CurrentStatus:
		return "Healthy"
	case said == status.FailedStatus:
		return "Degraded"
	default:
		return "Progressing"
	}
}

// Argo CD is told of every state of every kind what docs/gitops.md promises, and an error of a script is no health.
func TestArgoCD(t *testing.T) {
	argo := newArgoCD(t)
	outcomes := map[string]verdict{
		"ready": accept(v1alpha1.ReasonReady, "it works"), "waiting": wait("Waiting", "it waits"), "stalled": stall("Stalled", "it needs you"),
	}
	for kind := range argo {
		for name, v := range outcomes {
			for _, observed := range []int64{-1, 1, 2} {
				for _, off := range []bool{false, true} {
					for _, deleted := range []bool{false, true} {
						t.Run(fmt.Sprintf("%s %s, observed %d, off %v, deleted %v", kind, name, observed, off, deleted), func(t *testing.T) {
							u := inState(t, kind, v, observed, off, deleted)
							said, err := status.Compute(u)
							if err != nil {
								t.Fatal(err)
							}
							health, message := argo.health(t, kind, u.Object)
							if want := healthOf(said.Status, u.Object); health != want || message == "" {
								t.Errorf("is %s (%s); want %s, as kstatus says %s", health, message, want, said.Status)
							}
						})
					}
				}
			}
		}
		t.Run(kind+" that nobody has looked at", func(t *testing.T) {
			metadata := map[string]any{"generation": int64(1)}
			for _, content := range []map[string]any{
				{"metadata": metadata, "spec": map[string]any{}},
				{"metadata": metadata, "spec": map[string]any{}, "status": map[string]any{"observedGeneration": int64(1)}},
				{"metadata": metadata, "spec": map[string]any{}, "status": map[string]any{"observedGeneration": int64(1), "conditions": []any{}}},
			} {
				if health, _ := argo.health(t, kind, content); health != "Progressing" {
					t.Errorf("%v is %s", content, health)
				}
			}
		})
	}
}

// inState returns a resource of generation 2 whose status is about an earlier generation, or this one. Of a provider, off is that it is
// stopped, which is what it stalls for then; of a signing key it is nothing.
func inState(t *testing.T, kind string, v verdict, observed int64, off, deleted bool) *unstructured.Unstructured {
	t.Helper()
	spec := map[string]any{}
	switch {
	case kind == kindProvider && off && v.outcome == stalled:
		spec["replicas"], v.reason = int64(0), v1alpha1.ReasonStopped
	case kind == kindClient || kind == kindUser:
		spec["disabled"] = off
	}
	var conditions []metav1.Condition
	if observed >= 0 {
		setConditions(&conditions, observed, metav1.Now(), named{v1alpha1.ConditionAccepted, v})
	}
	content, err := toMap(&struct {
		Status v1alpha1.OIDCUserStatus `json:"status"`
	}{v1alpha1.OIDCUserStatus{Conditions: conditions}})
	if err != nil {
		t.Fatal(err)
	}
	content["spec"] = spec
	content["metadata"] = map[string]any{"name": "x", "namespace": "y", "generation": int64(2)}
	if state, is := content["status"].(map[string]any); is {
		state["observedGeneration"] = observed
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
	if deleted {
		u.SetDeletionTimestamp(new(metav1.Now()))
	}
	return u
}
