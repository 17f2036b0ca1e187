// Package browser holds the tests that drive a real Chromium against the real programs: cmd/provider with a directory of
// registrations, and hack/demo-app as the relying party that reads nothing but the files of its Secret.
//
// Every test has programs and a browser profile of its own. When a step fails, the picture of the page is saved and its
// path printed. Pictures of every page, in light and dark and in two sizes, are written by
//
//	BROWSER_PICTURES=/tmp/pictures go test -run TestAppearance ./test/browser
package browser
