// Package gen builds resources for tests: a valid one by name, changed by options.
package gen
