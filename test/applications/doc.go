// Package applications logs people in to applications that are configured by nothing but the Secret that an OIDCClient with a
// preset gets: operator and provider run as the real programs against a real API server, and a real browser goes from the
// application through the provider's pages and back.
package applications
