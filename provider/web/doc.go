// Package web renders the pages that people see: templates, style sheet, translations. It knows no HTTP and decides
// nothing; a page is a value that says what stands on it. All pages work without JavaScript, by keyboard, in light and
// dark, and in a window of 500 by 600 pixels.
package web
