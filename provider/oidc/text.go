package oidc

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ValidateDisplayText returns nil when text may be shown to users as a name or a sentence: one line of characters that can be seen, in the
// order in which they are written. Characters that turn the direction around or cannot be seen make one name look like another
// (Unicode Technical Report 36 sections 2.10 and 3.4). Joiners between letters of scripts that need them, and in emoji, are
// let through. The error names the character and does not repeat the text.
func ValidateDisplayText(text string) error {
	if text != "" && strings.TrimSpace(text) == "" {
		return errors.New("must have characters that can be seen, not blanks alone")
	}
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case r == unicode.ReplacementChar:
			return errors.New("must be valid UTF-8")
		case strings.ContainsRune("\r\n\u2028\u2029", r):
			return errors.New("must be one line; remove the line break")
		case joins(r) && i > 0 && beyondASCII(runes[i-1]) && (r >= '\ufe00' || i+1 < len(runes) && beyondASCII(runes[i+1])):
		case unicode.Is(unicode.Bidi_Control, r):
			return fmt.Errorf("must not contain the character U+%04X, which changes the direction of the text; remove it", r)
		case !unicode.IsGraphic(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || r == '\u2800':
			return fmt.Errorf("must not contain the character U+%04X, which cannot be seen; remove it", r)
		}
	}
	return nil
}

// joins reports whether r changes how its neighbors look: the zero-width joiner and non-joiner, and the selectors of an emoji's style.
func joins(r rune) bool {
	return r == '\u200c' || r == '\u200d' || r == '\ufe0e' || r == '\ufe0f'
}

func beyondASCII(r rune) bool {
	return r > unicode.MaxASCII && !joins(r) || r == '\ufe0f'
}
