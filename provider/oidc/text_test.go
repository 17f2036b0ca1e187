package oidc_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/oidc"
)

func TestValidateDisplayText(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":                        {"", ""},
		"words":                        {"Example Wiki (internal) – Größe & Co.", ""},
		"Hebrew":                       {"ויקי פנימי", ""},
		"Persian with a non-joiner":    {"می\u200cخواهم", ""},
		"Hindi with a joiner":          {"क्\u200dष", ""},
		"emoji with a selector":        {"Home \u2764\ufe0f", ""},
		"emoji of several":             {"👨\u200d👩\u200d👧", ""},
		"rainbow flag":                 {"🏳\ufe0f\u200d🌈", ""},
		"Japanese with a wide space":   {"社内　ウィキ", ""},
		"right-to-left override":       {"Pay\u202eroll", "U+202E"},
		"isolate":                      {"\u2067Payroll\u2069", "U+2067"},
		"right-to-left mark":           {"Payroll\u200f", "U+200F"},
		"Arabic letter mark":           {"Payroll\u061c", "U+061C"},
		"zero-width space":             {"Pay\u200broll", "U+200B"},
		"joiner between Latin letters": {"Pay\u200droll", "U+200D"},
		"joiner at the end":            {"می\u200c", "U+200C"},
		"joiner in front":              {"\u200dx", "U+200D"},
		"two joiners":                  {"می\u200c\u200cخ", "U+200C"},
		"soft hyphen":                  {"Pay\u00adroll", "U+00AD"},
		"word joiner":                  {"Pay\u2060roll", "U+2060"},
		"byte order mark":              {"Payroll\ufeff", "U+FEFF"},
		"selector after a letter":      {"Payroll\ufe0f", "U+FE0F"},
		"other selector":               {"Payroll\ufe01", "U+FE01"},
		"tag":                          {"Payroll\U000e0061", "U+E0061"},
		"Hangul filler":                {"Pay\u3164roll", "U+3164"},
		"halfwidth filler":             {"Pay\uffa0roll", "U+FFA0"},
		"blank of Braille":             {"Pay\u2800roll", "U+2800"},
		"line break":                   {"Pay\nroll", "one line"},
		"tab":                          {"Pay\troll", "U+0009"},
		"escape":                       {"Pay\x1b[31mroll", "U+001B"},
		"line separator":               {"Pay\u2028roll", "one line"},
		"private use":                  {"Pay\ue000roll", "U+E000"},
		"a wide blank":                 {"\u3000\u00a0", "blanks alone"},
		"not UTF-8":                    {"Pay\xffroll", "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			err := oidc.ValidateDisplayText(test.text)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
		})
	}
}
