package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// Brand is how the pages of one provider look.
type Brand struct {
	// Title stands over every page; it may be empty.
	Title string
	// Style is a style sheet that comes after the common one, Logo an image; their content is empty when there is none.
	Style, Logo Asset
	// StyleVersion and LogoVersion change with what they are of, and are empty when there is none.
	StyleVersion, LogoVersion string
}

// NewBrand returns a brand. accentColor is #rgb or #rrggbb, logoType the media type of the logo; each may be empty.
func (p *Pages) NewBrand(title, accentColor string, logo []byte, logoType string) *Brand {
	b := &Brand{Title: title}
	if accent, ok := parseColor(accentColor); ok {
		b.Style = Asset{Content: []byte(p.brandStyle(accent)), ContentType: contentType(".css")}
		b.StyleVersion = version(b.Style.Content)
	}
	if len(logo) > 0 {
		b.Logo = Asset{Content: logo, ContentType: logoType}
		b.LogoVersion = version(append([]byte(logoType+"\n"), logo...))
	}
	return b
}

func version(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}

// brandStyle returns a style sheet with the colors that follow from an accent color.
func (p *Pages) brandStyle(accent color) string {
	block := func(scheme int, away color) string {
		var s strings.Builder
		for _, token := range accents(accent, p.palettes[scheme], away) {
			fmt.Fprintf(&s, "--%s: %s; ", token[0], token[1])
		}
		return ":root { " + s.String() + "}"
	}
	return block(light, black) + "\n@media (prefers-color-scheme: dark) { " + block(dark, white) + " }\n"
}

// The palettes of the style sheet, in their order.
const (
	light = iota
	dark
)

var (
	rootBlock  = regexp.MustCompile(`(?s):root \{(.*?)\}`)
	colorToken = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
)

// readPalettes returns the colors of a style sheet by their names.
func readPalettes(style []byte) ([]map[string]color, error) {
	var palettes []map[string]color
	for _, block := range rootBlock.FindAllStringSubmatch(string(style), -1) {
		palette := map[string]color{}
		for _, token := range colorToken.FindAllStringSubmatch(block[1], -1) {
			palette[token[1]], _ = parseColor(token[2]) // the pattern lets nothing else through
		}
		palettes = append(palettes, palette)
	}
	if len(palettes) != 2 {
		return nil, fmt.Errorf("the style sheet has %d palettes, not one for light and one for dark", len(palettes))
	}
	return palettes, nil
}
