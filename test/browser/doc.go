// Package browser holds the tests that drive a real Chromium against the real programs: cmd/provider with a directory of
// registrations, and hack/demo-app as the relying party that reads nothing but the files of its Secret.
//
// Every test has programs and a browser profile of its own. When a step fails, the picture of the page is saved and its
// path printed. TestAppearance looks at every page in every language, in light and dark and in three sizes; `make screenshots`
// writes the pictures that it sees.
package browser
