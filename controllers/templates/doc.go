// Package templates renders the Go templates that people write into spec.credentials.data. They come from whoever may write an
// OIDCClient, and run in the operator: a template sees what it is given and nothing else, has no function that reads or keeps
// anything, and is bounded in time and size by what it may be made of.
package templates
