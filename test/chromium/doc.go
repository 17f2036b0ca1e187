// Package chromium starts the browser in which tests walk through pages.
package chromium
