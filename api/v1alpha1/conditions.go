package v1alpha1

// Conditions that every kind has.
const (
	// ConditionReady is what to wait for: everything that the resource asks for stands and works.
	ConditionReady = "Ready"
	// ConditionReconciling is present, and True, only while the operator is still working towards the spec (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present, and True, only while nothing will change until somebody edits something (kstatus).
	ConditionStalled = "Stalled"
)

// Reasons of ConditionReady that every kind shares. When Ready is False its reason and message are those of the first
// condition that is in the way.
const (
	// ReasonReady surfaces when everything that the resource asks for stands and works.
	ReasonReady = "Ready"
	// ReasonInvalidSpec surfaces when a field has a value that cannot work; the message names the field and the fix.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonProviderNotFound surfaces when the OIDCProvider of providerRef does not exist.
	ReasonProviderNotFound = "ProviderNotFound"
	// ReasonWriteRefused surfaces when the API server refuses an object that has to be written; the message has its words.
	// It is tried again, ever more rarely.
	ReasonWriteRefused = "WriteRefused"
	// ReasonRegistrationNotOwned surfaces when a Secret that is not ours has the name of the registration Secret.
	ReasonRegistrationNotOwned = "RegistrationNotOwned"
)

// ConditionServed tells whether every ready replica of the provider has applied the current registration.
const ConditionServed = "Served"

// Reasons of ConditionServed.
const (
	// ReasonServed surfaces when every ready provider replica has applied the current registration.
	ReasonServed = "Served"
	// ReasonAwaitingReplicas surfaces while some ready provider replica has not applied the current registration.
	ReasonAwaitingReplicas = "AwaitingReplicas"
	// ReasonNoReplicas surfaces when no provider replica is ready and the current registration was not served before.
	ReasonNoReplicas = "NoReplicas"
	// ReasonAwaitingProvider surfaces when the replicas have applied the current registration, which was not served before, while the
	// provider is not Available.
	ReasonAwaitingProvider = "AwaitingProvider"
	// ReasonProviderUnavailable surfaces on an OIDCClient that was served when its provider has not been Available for some time, so
	// that nobody can sign in.
	ReasonProviderUnavailable = "ProviderUnavailable"
	// ReasonNoSigningKey surfaces when the provider has no active key of the algorithm that the resource asks for.
	ReasonNoSigningKey = "NoSigningKey"
	// ReasonAwaitingSigningKey surfaces while the SigningKey that is to sign has no active key yet, or is about to be created.
	ReasonAwaitingSigningKey = "AwaitingSigningKey"
	// ReasonNotRegistered surfaces when there is no registration that could be served; another condition says why.
	ReasonNotRegistered = "NotRegistered"
)
