package v1alpha1

// ConditionAvailable of an OIDCProvider tells whether users can sign in: a replica answers requests and can use its storage.
const ConditionAvailable = "Available"

// Reasons of ConditionAvailable.
const (
	// ReasonAvailable surfaces when at least one replica answers requests and can use its storage.
	ReasonAvailable = "Available"
	// ReasonAwaitingReport surfaces while no replica has reported that it answers requests.
	ReasonAwaitingReport = "AwaitingReport"
	// ReasonServiceUnreachable surfaces when a replica reports that it answers requests but a call through the Service fails.
	ReasonServiceUnreachable = "ServiceUnreachable"
	// ReasonIssuerTaken surfaces when an older OIDCProvider has the same issuer.
	ReasonIssuerTaken = "IssuerTaken"
	// ReasonStopped surfaces when spec.replicas is 0, also while the last replica still ends.
	ReasonStopped = "Stopped"
	// ReasonObjectNotOwned surfaces when an object that is not ours has the name of one that the provider needs.
	ReasonObjectNotOwned = "ObjectNotOwned"
	// ReasonDeploymentFailed surfaces when the Deployment reports that its pods cannot be made or do not start.
	ReasonDeploymentFailed = "DeploymentFailed"
	// ReasonHTTPRouteUnsupported surfaces when an HTTPRoute is asked for and the cluster has no Gateway API.
	ReasonHTTPRouteUnsupported = "HTTPRouteUnsupported"
)

// ConditionRolledOut of an OIDCProvider tells whether every desired replica runs the current spec.
const ConditionRolledOut = "RolledOut"

// Reasons of ConditionRolledOut.
const (
	// ReasonRolledOut surfaces when every replica runs the current spec.
	ReasonRolledOut = "RolledOut"
	// ReasonRollingOut surfaces while some replica does not run the current spec; the message has what the pods say.
	ReasonRollingOut = "RollingOut"
	// ReasonProgressDeadlineExceeded surfaces when the rollout has made no progress for 3 minutes; the message has what the pods say.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"
)

// ConditionTLSReady of an OIDCProvider with spec.tls tells whether the Secret holds a certificate that the provider can serve with. While it
// does not, the Deployment is not changed.
const ConditionTLSReady = "TLSReady"

// Reasons of ConditionTLSReady.
const (
	// ReasonTLSReady surfaces when the certificate is valid and fits the issuer.
	ReasonTLSReady = "TLSReady"
	// ReasonTLSSecretNotFound surfaces when the Secret of spec.tls.secretName does not exist.
	ReasonTLSSecretNotFound = "TLSSecretNotFound"
	// ReasonTLSSecretInvalid surfaces when the Secret holds no certificate with its private key.
	ReasonTLSSecretInvalid = "TLSSecretInvalid"
	// ReasonTLSCertificateExpired surfaces when the certificate has expired or is not valid yet.
	ReasonTLSCertificateExpired = "TLSCertificateExpired"
	// ReasonTLSCertificateMismatch surfaces when the certificate is for another host than the issuer's.
	ReasonTLSCertificateMismatch = "TLSCertificateMismatch"
)

// ConditionSigningReady of an OIDCProvider tells whether there is an active signing key.
const ConditionSigningReady = "SigningReady"

// Reasons of ConditionSigningReady.
const (
	// ReasonSigningKeyActive surfaces when at least one SigningKey has an active key.
	ReasonSigningKeyActive = "SigningKeyActive"
)

// Reasons of an OIDCProvider's events about signing, beside those of its conditions.
const (
	// ReasonDefaultKeyReplaced surfaces when the default SigningKey is deleted because the user's own came right after it.
	ReasonDefaultKeyReplaced = "DefaultKeyReplaced"
	// ReasonAlgorithmAdded surfaces when the discovery document lists an algorithm that it did not list before.
	ReasonAlgorithmAdded = "AlgorithmAdded"
	// ReasonAlgorithmRemoved surfaces when the discovery document does not list an algorithm any more.
	ReasonAlgorithmRemoved = "AlgorithmRemoved"
)

// ConditionStorageReady of an OIDCProvider tells whether every ready replica can use its storage.
const ConditionStorageReady = "StorageReady"

// Reasons of ConditionStorageReady.
const (
	// ReasonVolumeReady surfaces on embedded storage when no replica reports that its volume fails.
	ReasonVolumeReady = "VolumeReady"
	// ReasonDSNReady surfaces when the Secret of dsnSecretRef has something under its key, and no replica reports that the database fails.
	ReasonDSNReady = "DSNReady"
	// ReasonDSNSecretNotFound surfaces when the Secret of dsnSecretRef does not exist.
	ReasonDSNSecretNotFound = "DSNSecretNotFound"
	// ReasonDSNKeyNotFound surfaces when the Secret of dsnSecretRef has no such key, or nothing under it.
	ReasonDSNKeyNotFound = "DSNKeyNotFound"
	// ReasonDatabaseUnavailable surfaces when a replica reports that the database does not answer. When all do, it is the reason of
	// ConditionAvailable, too.
	ReasonDatabaseUnavailable = "DatabaseUnavailable"
	// ReasonVolumeFull surfaces in the same way when the volume, or what the database may use of it, is full.
	ReasonVolumeFull = "VolumeFull"
	// ReasonStorageFailed surfaces in the same way when storage fails otherwise.
	ReasonStorageFailed = "StorageFailed"
)

// ConditionBrandingReady of an OIDCProvider with branding.logoConfigMapRef tells whether its pages show the logo. People
// can log in either way.
const ConditionBrandingReady = "BrandingReady"

// Reasons of ConditionBrandingReady.
const (
	// ReasonLogoReady surfaces when the logo was read.
	ReasonLogoReady = "LogoReady"
	// ReasonLogoConfigMapNotFound surfaces when the ConfigMap of logoConfigMapRef does not exist.
	ReasonLogoConfigMapNotFound = "LogoConfigMapNotFound"
	// ReasonLogoKeyNotFound surfaces when the ConfigMap of logoConfigMapRef has no such key, or nothing under it.
	ReasonLogoKeyNotFound = "LogoKeyNotFound"
	// ReasonLogoInvalid surfaces when the image is too large.
	ReasonLogoInvalid = "LogoInvalid"
)
