// Package registry answers, from memory, what is registered now: [Index] holds the clients, users, signing keys and
// settings that are in force. Sources fill it: registry/kube from Secrets, registry/dir from files.
//
// What happens to a document that cannot be used:
//
//   - A client or user whose new version is invalid is withdrawn. It fails closed: the faulty version may have been meant
//     to disable the client or to take away a redirect URI, and serving the old one would undo that.
//   - A signing key or settings document whose new version is invalid stays in force as it was. It fails safe: nothing
//     is granted by an old signing key that the operator has not replaced, and without it nobody could log in at all.
//   - Of two documents that claim the same client ID, username or subject the first by name is in force, whatever the
//     order in which they came.
//
// Each of these is logged once, with the document's name and the fields at fault and never with what they hold.
package registry
