package presets

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

// checkLines returns an error that names the first text of a preset that is not one line of visible characters. Presets whose files are made
// of lines, or whose values become environment variables, call it first: a line break in a value would be a line of configuration.
// preset is a pointer to the struct of spec.preset.<name>. Two fields may have lines: certificates, which go through an encoder, and
// roleAttributePath, of which Grafana's preset makes one line.
func checkLines(name string, preset any) error {
	return checkLinesOf("spec.preset."+name, reflect.ValueOf(preset))
}

func checkLinesOf(field string, value reflect.Value) error {
	switch value.Kind() {
	case reflect.String:
		if strings.HasSuffix(field, ".certificateAuthority") || strings.HasSuffix(field, ".roleAttributePath") {
			return nil
		}
		if err := oidc.ValidateDisplayText(value.String()); err != nil {
			return fmt.Errorf("%s %w", field, err)
		}
	case reflect.Pointer:
		if !value.IsNil() {
			return checkLinesOf(field, value.Elem())
		}
	case reflect.Slice:
		for i := range value.Len() {
			if err := checkLinesOf(fmt.Sprintf("%s[%d]", field, i), value.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			for _, part := range []reflect.Value{key, value.MapIndex(key)} {
				if err := checkLinesOf(fmt.Sprintf("%s[%q]", field, key), part); err != nil {
					return err
				}
			}
		}
	case reflect.Struct:
		for i := range value.NumField() {
			name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
			if err := checkLinesOf(field+"."+name, value.Field(i)); err != nil {
				return err
			}
		}
	default: // numbers and switches
	}
	return nil
}

// checkMountPath returns an error that names field when path is not an absolute path of plain characters. "" is in order: it is unset.
func checkMountPath(field, path string) error {
	if path != "" && !regexp.MustCompile(`^(/[A-Za-z0-9._~@+=:,-]+)+/?$`).MatchString(path) {
		return fmt.Errorf("%s must be an absolute path of letters, digits and . _ ~ @ + = : , - such as %s", field, defaultMountPath)
	}
	return nil
}
