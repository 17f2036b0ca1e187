package templates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/controllers/templates"
)

const secret = "s3cr3t-value"

func values() map[string]any {
	return map[string]any{
		"issuer": "https://id.example.com/a", "clientSecret": secret, "empty": "",
		"scopeList": []string{"openid", "email"}, "redirectURIs": []string{"https://a.example.com/", "https://b.example.com/"},
	}
}

func TestRender(t *testing.T) {
	for template, want := range map[string]string{
		``:                      "",
		`plain`:                 "plain",
		`{{ .issuer }}`:         "https://id.example.com/a",
		`{{ .issuer | quote }}`: `"https://id.example.com/a"`,
		`{{ squote "it's" }}`:   `'it''s'`,
		`{{ if hasPrefix "https" .issuer }}y{{ else }}n{{ end }}`: "y",
		`{{ range .scopeList }}[{{ . }}]{{ end }}`:                "[openid][email]",
		`{{ range $i, $s := $.scopeList }}{{ $i }}{{ end }}`:      "01",
		`{{ join "," .redirectURIs }}`:                            "https://a.example.com/,https://b.example.com/",
		`{{ toJson .scopeList }}`:                                 `["openid","email"]`,
		`{{ .issuer | host | upper }}`:                            "ID.EXAMPLE.COM",
		`{{ print .issuer "/x" | b64enc }}`:                       "aHR0cHM6Ly9pZC5leGFtcGxlLmNvbS9hL3g=",
		`{{ default "d" .empty }}{{ trimSuffix "/a" .issuer }}`:   "dhttps://id.example.com",
		`{{ indent 2 "a\nb" }}`:                                   "  a\n  b",
		`{{ replace "a" "b" "banana" }}`:                          "bbnbnb",
		`{{ with index .scopeList 1 }}{{ . }}{{ end }}`:           "email",
		`{{/* said nothing */}}`:                                  "",
	} {
		if got, err := templates.Render("OIDC", template, values()); err != nil || got != want {
			t.Errorf("%s: got %q, %v", template, got, err)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	growing := strings.Repeat(`{{ replace "" "xxxxxxxxxxxxxxxx" .issuer | replace "x" "xxxxxxxxxxxxxxxx" | replace "x" "xxxxxxxxxxxxxxxx" }}`, 2)
	doubling := `{{ $a := "0123456789abcdef" }}` + strings.Repeat(`{{ $a = print $a $a }}`, 40) + `{{ len $a }}`
	lengthy := strings.Repeat("x", 65*1024)
	for template, want := range map[string]string{
		"a\n{{ .issure }}":                     `OIDC, line 2, column 4: <.issure>: map has no entry for key "issure"`,
		`{{ nope }}`:                           `OIDC, line 1: function "nope" not defined`,
		"\n{{ if }}":                           `OIDC, line 2: missing value for if`,
		`{{ .issuer`:                           `OIDC, line 1: unclosed action`,
		`{{ env "HOME" }}`:                     `function "env" not defined`,
		`{{ printf "%99999d" 1 }}`:             `OIDC, line 1, column 4: function "printf" is not allowed`,
		`{{ call .issuer }}`:                   `function "call" is not allowed`,
		`{{ html .issuer }}`:                   `function "html" is not allowed`,
		`{{ range 1000000000 }}{{ end }}`:      `range is allowed only over scopeList and redirectURIs`,
		`{{ range .issuer }}{{ end }}`:         `range is allowed only over scopeList and redirectURIs`,
		`{{ $n := 9 }}{{ range $n }}{{ end }}`: `range is allowed only over scopeList and redirectURIs`,
		`{{ range .scopeList }}{{ range $.scopeList }}{{ range $.scopeList }}{{ end }}{{ end }}{{ end }}`: `range must not stand in more than 1 others`,
		`{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}`:                                   `define and block are not allowed`,
		`{{ template "OIDC" }}`:        `template is not allowed`,
		`{{ block "a" . }}{{ end }}`:   `define and block are not allowed`,
		`{{ .clientSecret.x }}`:        `can't evaluate field x in type`,
		`{{ index .clientSecret 99 }}`: `out of range`,
		`{{ host .clientSecret }}`:     `host takes a URL`,
		`{{ indent 9999 .issuer }}`:    `indent takes 0 to 80 spaces`,
		`{{ lt .clientSecret 5 }}`:     `incompatible types`,
		growing:                        `it becomes longer than 64 KiB`,
		doubling:                       `it becomes longer than 64 KiB`,
		lengthy:                        `it becomes longer than 64 KiB`,
	} {
		begun := time.Now()
		got, err := templates.Render("OIDC", template, values())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "OIDC") {
			t.Errorf("%.90s: got %.90q, %v", template, got, err)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the message holds the secret: %v", template, err)
		}
		if took := time.Since(begun); took > 30*time.Second {
			t.Errorf("%.90s: took %v", template, took)
		}
	}
}
