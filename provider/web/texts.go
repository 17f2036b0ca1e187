package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// texts are the words of one language by key.
type texts map[string]string

// translation is one language. It joins by a file like english.go and a line in translations; tests see to it that it has
// every text with the placeholders of the English one.
type translation struct {
	// tag is the language subtag of BCP 47, such as "en".
	tag   string
	texts texts
	// span says how long something takes, "5 minutes", and ago how long it has been, "5 minutes ago". What has been for
	// seconds only is "just now". Functions and not texts, because languages differ in how they count.
	span, ago func(n int, u unit) string
	// date says which day it was.
	date func(t time.Time) string
}

// translations lists every language, the default first.
func translations() []translation {
	return []translation{english(), german()}
}

// get returns the text of a key with its placeholders filled in. A key that is missing fails the rendering: no page may
// show a hole where words should be.
func (t texts) get(key string, args ...any) (string, error) {
	text, ok := t[key]
	if !ok {
		return "", fmt.Errorf("there is no text %q", key)
	}
	if len(args) == 0 {
		return text, nil
	}
	for i, arg := range args {
		if name, ok := arg.(string); ok {
			args[i] = isolate(name)
		}
	}
	return fmt.Sprintf(text, args...), nil
}

// isolate keeps the direction of a right-to-left name from turning around the words beside it (Unicode Standard Annex 9 section 3.1.2).
func isolate(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam)
	}) {
		return name
	}
	const firstStrongIsolate, popDirectionalIsolate = "\u2068", "\u2069"
	return firstStrongIsolate + name + popDirectionalIsolate
}

// unit is a unit of time.
type unit int

const (
	seconds unit = iota
	minutes
	hours
	days
	months
	years
)

// lengths of the units. Nobody reads more than the order of magnitude in months.
var lengths = [...]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour}

// roundUp returns a time to wait in its unit, never less than it is.
func roundUp(d time.Duration) (int, unit) {
	u := seconds
	for u < hours && d > 90*lengths[u] {
		u++
	}
	return max(1, int((d+lengths[u]-1)/lengths[u])), u
}

// roundDown returns the time since something in the largest unit that it fills.
func roundDown(d time.Duration) (int, unit) {
	u := years
	for u > seconds && d < lengths[u] {
		u--
	}
	return max(0, int(d/lengths[u])), u
}

// count puts a number before a word.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
