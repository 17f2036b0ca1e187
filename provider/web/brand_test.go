package web

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
)

// The ratios that WCAG 2.2 itself and its tools name.
func TestContrastRatio(t *testing.T) {
	for pair, want := range map[[2]string]float64{
		{"#000", "#ffffff"}:    21,
		{"#fff", "#fff"}:       1,
		{"#767676", "#ffffff"}: 4.54,
		{"#777777", "#ffffff"}: 4.48,
		{"#ff0000", "#ffffff"}: 4.00,
		{"#0000ff", "#000000"}: 2.44,
	} {
		a, _ := parseColor(pair[0])
		b, _ := parseColor(pair[1])
		if got := contrast(a, b); math.Abs(got-want) > .005 || got != contrast(b, a) {
			t.Errorf("%s on %s has %.3f, want %.2f", pair[0], pair[1], got, want)
		}
	}
	for _, text := range []string{"", "#", "#12", "#1234", "123456", "#12345g", "red", "#1234567"} {
		if c, ok := parseColor(text); ok {
			t.Errorf("%q is read as %s", text, c)
		}
	}
}

// checkPalette demands of text a contrast of 4.5 to its ground, and of the edges of fields and buttons 3 (WCAG 2.2, 1.4.3
// and 1.4.11).
func checkPalette(t *testing.T, name string, palette map[string]color) {
	t.Helper()
	for _, c := range []struct {
		front, back string
		least       float64
	}{
		{"ink", "card", textContrast},
		{"ink", "ground", textContrast},
		{"ink", "note-ground", textContrast},
		{"soft", "card", textContrast},
		{"soft", "ground", textContrast},
		{"link", "card", textContrast},
		{"link", "ground", textContrast},
		{"link", "note-ground", textContrast},
		{"accent-ink", "accent", textContrast},
		{"accent-ink", "accent-over", textContrast},
		{"alert", "alert-ground", textContrast},
		{"alert", "card", edgeContrast},
		{"line", "card", edgeContrast},
		{"line", "ground", edgeContrast},
		{"accent-line", "card", edgeContrast},
	} {
		front, ok := palette[c.front]
		back, ok2 := palette[c.back]
		if !ok || !ok2 {
			t.Fatalf("%s: %s or %s is not defined", name, c.front, c.back)
		}
		if got := contrast(front, back); got < c.least {
			t.Errorf("%s: %s on %s has a contrast of %.2f, less than %.1f", name, c.front, c.back, got, c.least)
		}
	}
}

func TestContrast(t *testing.T) {
	pages, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for i, scheme := range []string{"light", "dark"} {
		checkPalette(t, scheme, pages.palettes[i])
	}
}

// Whatever color somebody chooses, everything can be read and seen, and buttons have that very color.
func TestAccentColors(t *testing.T) {
	pages, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for b := 0; b < 256; b += 51 {
				accent := fmt.Sprintf("#%02x%02x%02x", r, g, b)
				palettes, err := readPalettes(pages.NewBrand("", accent, nil, "").Style.Content)
				if err != nil {
					t.Fatal(err)
				}
				for i, scheme := range []string{"light", "dark"} {
					palette := maps.Clone(pages.palettes[i])
					maps.Copy(palette, palettes[i])
					checkPalette(t, accent+", "+scheme, palette)
					if palette["accent"].String() != accent {
						t.Errorf("%s, %s: buttons are %s", accent, scheme, palette["accent"])
					}
				}
			}
		}
	}
}

func TestBrand(t *testing.T) {
	pages, err := New()
	if err != nil {
		t.Fatal(err)
	}
	view := exampleView("en")
	plain, err := pages.Render(LoggedOut{}, view)
	if err != nil || strings.Contains(string(plain), "<header") || strings.Contains(string(plain), "brand.css") || !strings.Contains(string(plain), "– id.example.com</title>") {
		t.Errorf("%v\n%s", err, plain)
	}
	view.Brand = pages.NewBrand("Example & Co", "#0a6", []byte("<svg/>"), "image/svg+xml")
	branded, err := pages.Render(LoggedOut{}, view)
	for _, part := range []string{
		"– Example &amp; Co</title>", "<span>Example &amp; Co</span>", `href="/realm/assets/brand.css?v=` + view.Brand.StyleVersion + `"`,
		`src="/realm/assets/logo?v=` + view.Brand.LogoVersion + `" alt=""`,
	} {
		if err != nil || !strings.Contains(string(branded), part) {
			t.Errorf("%v: %s is missing in\n%s", err, part, branded)
		}
	}
	for name, other := range map[string]*Brand{
		"color": pages.NewBrand("", "#0a7", nil, ""), "logo": pages.NewBrand("", "", []byte("<svg/> "), "image/svg+xml"), "type": pages.NewBrand("", "", []byte("<svg/>"), "image/png"),
	} {
		if other.StyleVersion == view.Brand.StyleVersion || other.LogoVersion == view.Brand.LogoVersion {
			t.Errorf("with another %s the versions are %q and %q", name, other.StyleVersion, other.LogoVersion)
		}
	}
}
