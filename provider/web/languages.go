package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// maxLanguages bounds what a made-up list can make us compare.
const maxLanguages = 16

// ReadLanguages returns the tags of an Accept-Language header (RFC 9110 section 12.5.4), the most wanted first. What has
// the weight 0 is not wanted at all.
func ReadLanguages(header string) []string {
	type weighted struct {
		tag    string
		weight float64
	}
	var found []weighted
	for part := range strings.SplitSeq(header, ",") {
		tag, parameter, _ := strings.Cut(part, ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			if parsed, err := strconv.ParseFloat(q, 64); err == nil {
				weight = parsed
			}
		}
		if tag = strings.TrimSpace(tag); tag != "" && tag != "*" && weight > 0 {
			found = append(found, weighted{tag, weight})
		}
		if len(found) == maxLanguages {
			break
		}
	}
	slices.SortStableFunc(found, func(a, b weighted) int { return cmp.Compare(b.weight, a.weight) })
	var tags []string
	for _, f := range found {
		tags = append(tags, f.tag)
	}
	return tags
}

// ReadLocales returns the tags of a ui_locales parameter (OpenID Connect Core section 3.1.2.1), the most wanted first.
func ReadLocales(parameter string) []string {
	tags := strings.Fields(parameter)
	return tags[:min(len(tags), maxLanguages)]
}
