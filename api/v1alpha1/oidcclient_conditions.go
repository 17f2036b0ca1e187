package v1alpha1

// ConditionAccepted tells whether the resource is valid, allowed by the provider's policy, and its ID free.
const ConditionAccepted = "Accepted"

// Reasons of ConditionAccepted.
const (
	// ReasonAccepted surfaces when the resource is valid, allowed and its ID free.
	ReasonAccepted = "Accepted"
	// ReasonNamespaceNotAllowed surfaces when the provider's allowedClients do not admit the OIDCClient's namespace.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonRedirectHostNotAllowed surfaces when a redirect URI has a host that the provider's allowedClients do not admit.
	ReasonRedirectHostNotAllowed = "RedirectHostNotAllowed"
	// ReasonClientIDTaken surfaces when an older OIDCClient of the same provider, or another namespace, has the client ID.
	ReasonClientIDTaken = "ClientIDTaken"
	// ReasonTooManyReservations surfaces when the provider keeps so many client IDs of deleted OIDCClients for the namespace that the
	// namespace cannot choose another one.
	ReasonTooManyReservations = "TooManyReservations"
	// ReasonAppIDTaken surfaces when another OIDCClient of the same provider, or another namespace, has the appID of the preset synologySSO.
	ReasonAppIDTaken = "AppIDTaken"
)

// ConditionCredentialsReady tells whether the Secret with the credentials stands.
const ConditionCredentialsReady = "CredentialsReady"

// Reasons of ConditionCredentialsReady.
const (
	// ReasonCredentialsIssued surfaces when the Secret holds everything it should.
	ReasonCredentialsIssued = "CredentialsIssued"
	// ReasonSecretNotOwned surfaces when a Secret of that name exists and does not belong to this resource.
	ReasonSecretNotOwned = "SecretNotOwned"
	// ReasonSecretNotAllowed surfaces when a Secret that the operator has not made does not name this OIDCClient in its annotation
	// oidc-operator.dev/allow-client, and adopt or existingSecretRef needs it; the message has the command.
	ReasonSecretNotAllowed = "SecretNotAllowed"
	// ReasonMetadataNotAllowed surfaces when credentials.labels or credentials.annotations have a key whose prefix the provider's
	// allowedClients.secretMetadata do not list; the Secret stays as it is.
	ReasonMetadataNotAllowed = "MetadataNotAllowed"
	// ReasonClientSecretNotFound surfaces while the Secret of existingSecretRef, or the key in it, does not exist.
	ReasonClientSecretNotFound = "ClientSecretNotFound"
	// ReasonClientSecretInvalid surfaces when a client secret that is brought or adopted cannot be used; it is not in the message.
	ReasonClientSecretInvalid = "ClientSecretInvalid"
	// ReasonClientSecretRevoked surfaces while the Secret of existingSecretRef holds a client secret that is revoked, and in an event when one is.
	ReasonClientSecretRevoked = "ClientSecretRevoked"
	// ReasonInvalidTemplate surfaces when a template in credentials.data has an error, or two things want the same key; the Secret
	// stays as it is.
	ReasonInvalidTemplate = "InvalidTemplate"
	// ReasonNotAccepted surfaces when nothing is issued because the resource is not accepted.
	ReasonNotAccepted = "NotAccepted"
)

// Reasons of events about client secrets.
const (
	// ReasonRotationStarted: a new client secret was made, and the provider's replicas learn of it.
	ReasonRotationStarted = "RotationStarted"
	// ReasonSecretRotated: another client secret is in the Secret, and the one before still works.
	ReasonSecretRotated = "SecretRotated"
	// ReasonPreviousSecretRetired: a client secret that was replaced works no longer.
	ReasonPreviousSecretRetired = "PreviousSecretRetired"
	// ReasonRolloutRestarted: workloads were restarted for another client secret.
	ReasonRolloutRestarted = "RolloutRestarted"
)
