package web

import "fmt"

// texts are the words of one language by key. A language joins by a file like english.go and a line in translations; a
// test sees to it that it has every key.
type texts map[string]string

type translation struct {
	// tag is the language subtag of BCP 47, such as "en".
	tag   string
	texts texts
}

// translations lists every language, the default first.
func translations() []translation {
	return []translation{{"en", english()}}
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
	return fmt.Sprintf(text, args...), nil
}
