package v1alpha1

// Reasons of ConditionAccepted of an OIDCUser, beside those of an OIDCClient that fit.
const (
	// ReasonUsernameTaken surfaces when an older OIDCUser of the same provider has the username.
	ReasonUsernameTaken = "UsernameTaken"
	// ReasonSubjectTaken surfaces when an older OIDCUser of the same provider has the subject.
	ReasonSubjectTaken = "SubjectTaken"
)

// Reasons of ConditionCredentialsReady of an OIDCUser, beside those of an OIDCClient.
const (
	// ReasonPasswordSecretNotFound surfaces when the Secret of passwordSecretRef does not exist.
	ReasonPasswordSecretNotFound = "PasswordSecretNotFound"
	// ReasonPasswordKeyNotFound surfaces when the Secret of passwordSecretRef has no such key, or nothing under it.
	ReasonPasswordKeyNotFound = "PasswordKeyNotFound"
	// ReasonPasswordInvalid surfaces when the Secret contains neither a password nor a hash that can be used.
	ReasonPasswordInvalid = "PasswordInvalid"
)
