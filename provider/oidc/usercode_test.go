package oidc

import (
	"strings"
	"testing"
)

func TestUserCodes(t *testing.T) {
	seen, letters := map[string]bool{}, map[rune]int{}
	for range 5000 {
		code := NewUserCode()
		if seen[code] {
			t.Fatalf("%s came twice", code)
		}
		seen[code] = true
		for _, c := range code {
			letters[c]++
		}
		if read, ok := ReadUserCode(ShowUserCode(code)); !ok || read != code {
			t.Fatalf("%s is read as %s", ShowUserCode(code), read)
		}
	}
	if len(letters) != 20 {
		t.Errorf("there are %d letters", len(letters))
	}
	for c, n := range letters { // 2000 are expected; a bias by the remainder of 256 would make it 1900 and 2050
		if n < 1750 || n > 2250 {
			t.Errorf("%c came %d times", c, n)
		}
	}
}

func TestReadUserCode(t *testing.T) {
	for typed, want := range map[string]string{
		"WDJB-MJHT": "WDJBMJHT", "wdjbmjht": "WDJBMJHT", " w d j b – m j h t ": "WDJBMJHT",
		"": "", "WDJB-MJH": "", "WDJB-MJHTT": "", "WDJB-MJH1": "", "WDJB-MJHA": "", "WDJB-MJH\x00": "", "ẞDJB-MJHT": "",
		strings.Repeat("-", 100) + "WDJBMJHT": "",
	} {
		if got, ok := ReadUserCode(typed); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v", typed, got, ok)
		}
	}
}
