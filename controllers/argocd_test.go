package controllers

import (
	"os"
	"path/filepath"
	"testing"

	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
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
