package presets

import (
	"reflect"
	"slices"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
)

// fill gives every field of spec that is unset the value that it has in defaults. A list or a map that is set stays as it is,
// because leaving something out of it is a decision, too; the fields of a struct are looked at one by one, and so are claims,
// because what an application knows people by is needed also where the spec adds other claims. The preset itself is the user's.
func fill(spec *v1alpha1.OIDCClientSpec, defaults v1alpha1.OIDCClientSpec) {
	defaults.Preset = nil
	for _, claim := range defaults.Claims {
		if !slices.ContainsFunc(spec.Claims, func(own v1alpha1.ClientClaim) bool { return own.Name == claim.Name }) {
			spec.Claims = append(spec.Claims, claim)
		}
	}
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
