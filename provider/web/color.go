package web

import (
	"fmt"
	"math"
	"strconv"
)

// color is an sRGB color, each part from 0 to 1.
type color [3]float64

var (
	black = color{}
	white = color{1, 1, 1}
)

// parseColor reads #rgb or #rrggbb.
func parseColor(text string) (c color, ok bool) {
	if len(text) == 4 {
		text = string([]byte{text[0], text[1], text[1], text[2], text[2], text[3], text[3]})
	}
	if len(text) != 7 || text[0] != '#' {
		return c, false
	}
	for i := range c {
		part, err := strconv.ParseUint(text[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return c, false
		}
		c[i] = float64(part) / 255
	}
	return c, true
}

func (c color) String() string {
	part := func(i int) int { return int(math.Round(c[i] * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(0), part(1), part(2))
}

// luminance is the relative luminance of WCAG 2.2.
func (c color) luminance() float64 {
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		part := c[i]
		if part <= .04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+.055)/1.055, 2.4)
		}
		sum += weight * part
	}
	return sum
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b color) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + .05) / (min(x, y) + .05)
}

// mix returns the color that lies between two others, so far on the way.
func mix(from, to color, way float64) color {
	var c color
	for i := range c {
		// Rounded, so that what is measured is what is written.
		c[i] = math.Round((from[i]+(to[i]-from[i])*way)*255) / 255
	}
	return c
}

// stand returns the color nearest to c, on the way to another, that has a contrast to every ground.
func stand(c, towards color, least float64, grounds ...color) color {
	const steps = 50
	for step := range steps {
		candidate, enough := mix(c, towards, float64(step)/steps), true
		for _, ground := range grounds {
			enough = enough && contrast(candidate, ground) >= least
		}
		if enough {
			return candidate
		}
	}
	return towards
}

// What WCAG 2.2 asks for on level AA: of text (1.4.3), and of the edges of what can be used (1.4.11).
const (
	textContrast = 4.5
	edgeContrast = 3.0
	// darkLinkContrast is what level AAA asks for.
	darkLinkContrast = 7.0
)

// accents returns what a style sheet needs to make of one color that anybody may have chosen: it fills buttons as it is, and all
// that must be read or seen stands out enough, on the grounds of a palette.
func accents(accent color, palette map[string]color, away color) [][2]string {
	link := textContrast
	if away == white {
		link = darkLinkContrast // with less, a dark color that was made lighter looks switched off
	}
	ink, over := white, black
	if contrast(accent, white) < textContrast {
		ink, over = black, white
	}
	return [][2]string{
		{"accent", accent.String()},
		{"accent-ink", ink.String()},
		{"accent-over", mix(accent, over, .15).String()},
		{"accent-line", stand(accent, away, edgeContrast, palette["card"]).String()},
		{"link", stand(accent, away, link, palette["card"], palette["ground"], palette["note-ground"]).String()},
	}
}
