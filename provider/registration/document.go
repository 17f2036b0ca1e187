package registration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Kind names a kind of document. It is the value of the label LabelKind on a registration Secret.
type Kind string

// The kinds of document.
const (
	KindClient     Kind = "client"
	KindUser       Kind = "user"
	KindSigningKey Kind = "signing-key"
	KindSettings   Kind = "settings"
)

// Kinds lists every kind of document.
func Kinds() []Kind {
	return []Kind{KindClient, KindUser, KindSigningKey, KindSettings}
}

// File is the name under which a document of this kind is kept: the key in a registration Secret's data
// ("client.json") and the end of a file's name in a registration directory ("synapse.client.json").
func (k Kind) File() string {
	return string(k) + ".json"
}

// How a registration Secret is found and recognized in Kubernetes.
const (
	// SecretType is the type of every registration Secret. The API server keeps a Secret's type immutable, so it tells
	// registrations from anything else for good.
	SecretType = "oidc-operator.dev/registration"
	// LabelProvider holds the name of the OIDCProvider that serves the registration.
	LabelProvider = "oidc-operator.dev/provider"
	// LabelKind holds the document's Kind.
	LabelKind = "oidc-operator.dev/registration"
)

// How a provider replica reports, on a Lease of its own, what it has applied.
const (
	// LabelReplica marks a Lease as the report of a provider replica; its value is "true".
	LabelReplica = "oidc-operator.dev/replica"
	// AnnotationApplied holds the resource version up to which the replica has applied its registrations.
	AnnotationApplied = "oidc-operator.dev/applied"
	// AnnotationClients holds how many clients the replica has loaded.
	AnnotationClients = "oidc-operator.dev/registered-clients"
	// AnnotationUsers holds how many users the replica has loaded.
	AnnotationUsers = "oidc-operator.dev/registered-users"
	// AnnotationSigningKeys holds how many signing keys, of any phase, the replica has loaded.
	AnnotationSigningKeys = "oidc-operator.dev/signing-keys"
	// AnnotationSecretUses holds, as SecretUses in JSON, when secrets were used last of clients that have more than one.
	AnnotationSecretUses = "oidc-operator.dev/secret-uses"
	// AnnotationUnknownUses holds, as UnknownUses in JSON, of which secrets that are not in AnnotationSecretUses the use is not known.
	AnnotationUnknownUses = "oidc-operator.dev/secret-uses-unknown"
	// AnnotationStorage holds, as StorageFault formats it, why the replica cannot use its storage. Absent or "": storage works.
	AnnotationStorage = "oidc-operator.dev/storage"
)

// FieldError says what is wrong with one field of a document and how to mend it. The message never contains a secret.
type FieldError struct {
	// Field is the path of the field in the document, for example "redirect_uris[1]".
	Field string
	// Message says what is wrong and what would be right.
	Message string
}

// Error returns "field: message".
func (e *FieldError) Error() string {
	return e.Field + ": " + e.Message
}

func invalid(field, format string, args ...any) error {
	return &FieldError{Field: field, Message: fmt.Sprintf(format, args...)}
}

// FieldErrors returns every FieldError in err's tree, in order. It is empty when err is nil or holds none.
func FieldErrors(err error) []*FieldError {
	var found []*FieldError
	var walk func(error)
	walk = func(err error) {
		if fe, ok := err.(*FieldError); ok { //nolint:errorlint // the tree is walked by hand, node by node
			found = append(found, fe)
			return
		}
		switch x := err.(type) { //nolint:errorlint // see above
		case interface{ Unwrap() []error }:
			for _, e := range x.Unwrap() {
				walk(e)
			}
		case interface{ Unwrap() error }:
			walk(x.Unwrap())
		}
	}
	walk(err)
	return found
}

// Document is any of the four kinds.
type Document interface {
	// Validate returns nil, or every fault as a *FieldError joined with errors.Join.
	Validate() error
}

// Parse reads one document strictly: JSON without unknown fields or trailing data, then Validate. An unknown field is
// refused because a setting that is silently dropped (a misspelt "disabled") would be a hole.
func Parse[D any, P interface {
	*D
	Document
}](data []byte) (*D, error) {
	doc := new(D)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(doc); err != nil {
		return nil, parseError(err)
	}
	if dec.More() {
		return nil, errors.New("document is followed by more data")
	}
	if err := P(doc).Validate(); err != nil {
		return nil, err
	}
	return doc, nil
}

// parseError drops what encoding/json quotes from the input: a document may hold key material.
func parseError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var field *FieldError
	switch {
	case errors.As(err, &field):
		return field
	case errors.As(err, &syntax):
		return fmt.Errorf("document is not JSON: syntax error at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return invalid(kind.Field, "must be a %s, not a JSON %s", kind.Type, strings.SplitN(kind.Value, " ", 2)[0])
	case strings.HasPrefix(err.Error(), "json: unknown field"):
		return fmt.Errorf("document has an %s", strings.TrimPrefix(err.Error(), "json: "))
	default:
		return errors.New("document is not a complete JSON object")
	}
}
