// Package presets knows what applications need of an OpenID provider and how each is told about it. It is pure: from an
// OIDCClient to an OIDCClient that is filled in, and from that to the files in its Secret. There is one file for each application, named
// for it, which holds all there is to say about it; docs/presets.md tells how to add one.
//
// Nothing that is filled in is ever written into a spec. Effective is called in one place for each use, and the policies,
// the registration, the credentials and the status are all made from what it returns, so that they cannot disagree.
package presets
