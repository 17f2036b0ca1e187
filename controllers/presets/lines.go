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
	var err error
	eachText("spec.preset."+name, reflect.ValueOf(preset), func(field, text string) {
		if err != nil || strings.HasSuffix(field, ".certificateAuthority") || strings.HasSuffix(field, ".roleAttributePath") {
			return
		}
		if fault := oidc.ValidateDisplayText(text); fault != nil {
			err = fmt.Errorf("%s %w", field, fault)
		}
	})
	return err
}

// eachText calls visit for every text in a value, also for the keys of maps, with the JSON path of its field.
func eachText(field string, value reflect.Value, visit func(field, text string)) {
	switch value.Kind() {
	case reflect.String:
		visit(field, value.String())
	case reflect.Pointer:
		if !value.IsNil() {
			eachText(field, value.Elem(), visit)
		}
	case reflect.Slice:
		for i := range value.Len() {
			eachText(fmt.Sprintf("%s[%d]", field, i), value.Index(i), visit)
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			name := fmt.Sprintf("%s[%q]", field, key)
			eachText(name, key, visit)
			eachText(name, value.MapIndex(key), visit)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
			eachText(field+"."+name, value.Field(i), visit)
		}
	default: // numbers and switches
	}
}

// checkMountPath returns an error that names field when path is not an absolute path of plain characters. "" is in order: it is unset.
func checkMountPath(field, path string) error {
	if path != "" && !regexp.MustCompile(`^(/[A-Za-z0-9._~@+=:,-]+)+/?$`).MatchString(path) {
		return fmt.Errorf("%s must be an absolute path of letters, digits and . _ ~ @ + = : , - such as %s", field, defaultMountPath)
	}
	return nil
}
