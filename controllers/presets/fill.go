package presets

import (
	"reflect"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// fill gives every field of spec that is unset the value that it has in defaults. A list or a map that is set stays as it is,
// because leaving something out of it is a decision, too; the fields of a struct are looked at one by one. The preset itself is
// the user's.
func fill(spec *v1alpha1.OIDCClientSpec, defaults v1alpha1.OIDCClientSpec) {
	defaults.Preset = nil
	fillStruct(reflect.ValueOf(spec).Elem(), reflect.ValueOf(&defaults).Elem())
}

func fillStruct(to, from reflect.Value) {
	for i := range to.NumField() {
		field := to.Field(i)
		switch {
		case field.Kind() == reflect.Struct:
			fillStruct(field, from.Field(i))
		case field.IsZero():
			field.Set(from.Field(i))
		}
	}
}
