package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLanguages(t *testing.T) {
	for header, want := range map[string][]string{
		"de-CH, de;q=0.9, en;q=0.8, *;q=0.5": {"de-CH", "de", "en"},
		"en;q=0.3, de;q=0.9, fr;q=0":         {"de", "en"},
		"en; q=0.5, de;q=wrong":              {"de", "en"},
		"":                                   nil,
		" , ;q=1,fr":                         {"fr"},
		strings.Repeat("a,", 100):            slices.Repeat([]string{"a"}, maxLanguages),
	} {
		if got := ReadLanguages(header); !slices.Equal(got, want) {
			t.Errorf("%q: %v", header, got)
		}
	}
	if got := ReadLocales(" fr-CA  de en " + strings.Repeat("a ", 100)); len(got) != maxLanguages || got[0] != "fr-CA" || got[1] != "de" {
		t.Errorf("ui_locales: %v", got)
	}
	pages, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for preferred, want := range map[string]string{"de-CH": "de", "DE": "de", "fr": "en", "": "en", "en-GB": "en"} {
		if got := pages.choose([]string{preferred}); got.tag != want {
			t.Errorf("%s: %s", preferred, got.tag)
		}
	}
	if got := pages.choose([]string{"fr", "de-AT", "en"}); got.tag != "de" {
		t.Errorf("the first language that there is: %s", got.tag)
	}
}

func ExampleReadLanguages() {
	fmt.Println(ReadLanguages("en;q=0.8, de-CH"))
	// Output: [de-CH en]
}
