package oidc

import (
	"net/url"
	"slices"
)

// Parameters are the parameters of a request, read as RFC 6749 section 3.1 asks: one that is sent without a value counts
// as omitted, one that is sent twice is an error. Parameters that nobody asks for are ignored.
type Parameters struct {
	values   url.Values
	repeated []string
}

// ReadParameters reads an application/x-www-form-urlencoded string: a query or a form body. malformed tells that a part
// of it could not be decoded; the rest is there all the same, so that an error can still be told to whom it concerns.
func ReadParameters(encoded string) (p Parameters, malformed bool) {
	values, err := url.ParseQuery(encoded)
	return ParametersOf(values), err != nil
}

// ParametersOf returns the parameters of decoded values.
func ParametersOf(values url.Values) Parameters {
	p := Parameters{values: values}
	for name, v := range values {
		if len(v) > 1 {
			p.repeated = append(p.repeated, name)
		}
	}
	slices.Sort(p.repeated)
	return p
}

// Get returns the value of a parameter: "" when it is omitted, empty, or sent more than once.
func (p Parameters) Get(name string) string {
	if v := p.values[name]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// All returns every value of a parameter that may stand more than once, without the empty ones.
func (p Parameters) All(name string) []string {
	var all []string
	for _, v := range p.values[name] {
		if v != "" {
			all = append(all, v)
		}
	}
	return all
}

// Repeated returns the first of names that was sent more than once, or "".
func (p Parameters) Repeated(names ...string) string {
	for _, name := range p.repeated {
		if slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// EncodeOnly returns the parameters of these names in application/x-www-form-urlencoded form, ordered by name.
func (p Parameters) EncodeOnly(names ...string) string {
	kept := make(url.Values, len(names))
	for _, name := range names {
		if v, ok := p.values[name]; ok {
			kept[name] = v
		}
	}
	return kept.Encode()
}

// Encode returns the parameters but those of except in application/x-www-form-urlencoded form, ordered by name.
func (p Parameters) Encode(except ...string) string {
	kept := make(url.Values, len(p.values))
	for name, v := range p.values {
		if !slices.Contains(except, name) {
			kept[name] = v
		}
	}
	return kept.Encode()
}
