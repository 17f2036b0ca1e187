package templates

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/template"
)

// builtins are the functions of text/template that make nothing larger and call nothing. printf is not among them: a width
// makes a megabyte of a few characters.
func builtins() []string {
	return []string{"and", "or", "not", "len", "index", "slice", "eq", "ne", "lt", "le", "gt", "ge"}
}

func allowed(name string) bool {
	_, ours := functions()[name]
	return ours || slices.Contains(builtins(), name)
}

// functions are pure, and no text that they return is longer than maxTextBytes. The text that a pipe hands on comes last.
func functions() template.FuncMap {
	return template.FuncMap{
		"print": func(values ...any) (string, error) {
			size := 0
			for _, v := range values {
				if text, is := v.(string); is {
					size += len(text)
				}
			}
			if size > maxTextBytes {
				return "", errTooLong
			}
			return bounded(fmt.Sprint(values...))
		},
		"quote":  func(text string) (string, error) { return toJSON(text) },
		"squote": func(text string) (string, error) { return bounded("'" + strings.ReplaceAll(text, "'", "''") + "'") },
		"toJson": toJSON,
		"b64enc": func(text string) (string, error) {
			return bounded(base64.StdEncoding.EncodeToString([]byte(text)))
		},
		"urlquery":   func(text string) (string, error) { return bounded(url.QueryEscape(text)) },
		"lower":      func(text string) (string, error) { return bounded(strings.ToLower(text)) },
		"upper":      func(text string) (string, error) { return bounded(strings.ToUpper(text)) },
		"trim":       strings.TrimSpace,
		"trimPrefix": func(prefix, text string) string { return strings.TrimPrefix(text, prefix) },
		"trimSuffix": func(suffix, text string) string { return strings.TrimSuffix(text, suffix) },
		"hasPrefix":  func(prefix, text string) bool { return strings.HasPrefix(text, prefix) },
		"hasSuffix":  func(suffix, text string) bool { return strings.HasSuffix(text, suffix) },
		"contains":   func(part, text string) bool { return strings.Contains(text, part) },
		"replace":    replace,
		"join":       join,
		"default": func(fallback, text string) string {
			if text == "" {
				return fallback
			}
			return text
		},
		"host": host,
		"indent": func(spaces int, text string) (string, error) {
			if spaces < 0 || spaces > 80 {
				return "", errors.New("indent takes 0 to 80 spaces")
			}
			margin := strings.Repeat(" ", spaces)
			first, err := replace("\n", "\n"+margin, text)
			if err != nil {
				return "", err
			}
			return bounded(margin + first)
		},
	}
}

func bounded(text string) (string, error) {
	if len(text) > maxTextBytes {
		return "", errTooLong
	}
	return text, nil
}

func toJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", errors.New("this cannot be written as JSON")
	}
	return bounded(string(text))
}

// replace tells the length of its result before it makes it.
func replace(old, with, text string) (string, error) {
	if len(text)+strings.Count(text, old)*max(0, len(with)-len(old)) > maxTextBytes {
		return "", errTooLong
	}
	return strings.ReplaceAll(text, old, with), nil
}

func join(separator string, texts []string) (string, error) {
	size := len(separator) * len(texts)
	for _, t := range texts {
		size += len(t)
	}
	if size > maxTextBytes {
		return "", errTooLong
	}
	return strings.Join(texts, separator), nil
}

// host returns the host of a URL, with its port.
func host(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", errors.New("host takes a URL")
	}
	return u.Host, nil
}
