package v1alpha1

// Reasons of ConditionReady of a SigningKey, beside those that every kind shares.
const (
	// ReasonInvalidKey surfaces when the Secret that holds the private key was changed into something that cannot sign.
	ReasonInvalidKey = "InvalidKey"
)
