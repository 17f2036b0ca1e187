// Package page reads the provider's pages as a browser would.
package page

import (
	"bytes"
	"net/url"

	"golang.org/x/net/html"
)

// HiddenFields returns the hidden inputs of a page.
func HiddenFields(page []byte) url.Values {
	fields := url.Values{}
	for z := html.NewTokenizer(bytes.NewReader(page)); z.Next() != html.ErrorToken; {
		token := z.Token()
		attributes := map[string]string{}
		for _, a := range token.Attr {
			attributes[a.Key] = a.Val
		}
		if token.Data == "input" && attributes["type"] == "hidden" {
			fields.Set(attributes["name"], attributes["value"])
		}
	}
	return fields
}
