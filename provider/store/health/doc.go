// Package health opens a provider's storage and knows whether it works: by a cheap check every few seconds, and at once when a call
// has failed.
package health
