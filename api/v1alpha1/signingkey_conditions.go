package v1alpha1

// Reasons of ConditionReady of a SigningKey, beside those that every kind shares.
const (
	// ReasonInvalidKey surfaces when the Secret that holds the private key was changed into something that cannot sign.
	ReasonInvalidKey = "InvalidKey"
	// ReasonImportNotFound surfaces when the Secret of spec.import, or the key in it, does not exist. A key that signs already
	// goes on signing.
	ReasonImportNotFound = "ImportNotFound"
	// ReasonImportRefused surfaces when what the Secret of spec.import holds must not sign: weak, encrypted, of the wrong type,
	// used before, or used by another SigningKey. A key that signs already goes on signing.
	ReasonImportRefused = "ImportRefused"
)

// Reasons of a SigningKey's events, beside that of its Ready condition. Each surfaces once for a key, and its note names it.
const (
	// ReasonKeyPublished surfaces when a rotation has begun: a new key is in the JWKS and does not sign yet.
	ReasonKeyPublished = "KeyPublished"
	// ReasonKeyActivated surfaces when a key has begun to sign.
	ReasonKeyActivated = "KeyActivated"
	// ReasonKeyRetired surfaces when a key that signed no more has left the JWKS.
	ReasonKeyRetired = "KeyRetired"
	// ReasonKeyRevoked surfaces when a key was taken out of the JWKS at once, because the annotation oidc-operator.dev/revoke names it.
	ReasonKeyRevoked = "KeyRevoked"
	// ReasonKeyWithdrawn surfaces when a published key that never signed was dropped, because its Secret holds another one.
	ReasonKeyWithdrawn = "KeyWithdrawn"
	// ReasonRotationIgnored surfaces when a rotation of an imported key was asked for: another key must be put into its Secret.
	ReasonRotationIgnored = "RotationIgnored"
)
