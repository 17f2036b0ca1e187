package oidc

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// ClaimsRequest is the claims parameter (OpenID Connect Core section 5.5), as far as it is understood. A claim that is
// requested without more has a zero ClaimRequest.
type ClaimsRequest struct {
	Userinfo map[string]ClaimRequest `json:"userinfo,omitempty"`
	IDToken  map[string]ClaimRequest `json:"id_token,omitempty"`
}

// ClaimRequest is what is requested of one claim (OpenID Connect Core section 5.5.1).
type ClaimRequest struct {
	Essential bool `json:"essential,omitempty"`
	// Values are the JSON values one of which the claim should have; none means any.
	Values []json.RawMessage `json:"values,omitempty"`
}

// Claims of the protocol itself that can be requested like others.
const (
	ClaimSubject = "sub"
	ClaimACR     = "acr"
)

// ReadClaims reads the claims parameter. Members and claims that are not understood are ignored, as the standard asks; own are
// names that are understood beside the standard claims. It returns nil when nothing is left. The error is an *Error.
func ReadClaims(text string, own ...string) (*ClaimsRequest, error) {
	if !utf8.ValidString(text) {
		return nil, &Error{CodeInvalidRequest, "claims must be a JSON object"}
	}
	// Maps rather than structs: encoding/json would take Userinfo for userinfo.
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil || members == nil {
		return nil, &Error{CodeInvalidRequest, "claims must be a JSON object"}
	}
	var request ClaimsRequest
	var err error
	if request.Userinfo, err = readClaimsMember("userinfo", members, own); err != nil {
		return nil, err
	}
	if request.IDToken, err = readClaimsMember("id_token", members, own); err != nil {
		return nil, err
	}
	if len(request.Userinfo)+len(request.IDToken) == 0 {
		return nil, nil //nolint:nilnil // nothing that is understood is requested: that is no error
	}
	return &request, nil
}

func readClaimsMember(member string, members map[string]json.RawMessage, own []string) (map[string]ClaimRequest, error) {
	raw, ok := members[member]
	if !ok {
		return nil, nil
	}
	var requested map[string]json.RawMessage
	if err := json.Unmarshal(raw, &requested); err != nil {
		return nil, &Error{CodeInvalidRequest, "claims." + member + " must be a JSON object"}
	}
	var known map[string]ClaimRequest
	for name, raw := range requested {
		if ScopeOfClaim(name) == "" && name != ClaimSubject && name != ClaimACR && !slices.Contains(own, name) {
			continue
		}
		claim, err := readClaim(raw)
		if err != nil {
			err.Description = "claims." + member + "." + name + " " + err.Description // the name is one of ours
			return nil, err
		}
		if known == nil {
			known = map[string]ClaimRequest{}
		}
		known[name] = claim
	}
	return known, nil
}

// readClaim reads null or an object. Its members that are not understood are ignored.
func readClaim(raw json.RawMessage) (ClaimRequest, *Error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return ClaimRequest{}, &Error{CodeInvalidRequest, "must be null or a JSON object"}
	}
	var claim ClaimRequest
	if essential, ok := members["essential"]; ok {
		if err := json.Unmarshal(essential, &claim.Essential); err != nil {
			return claim, &Error{CodeInvalidRequest, "must have true or false as essential"}
		}
	}
	if values, ok := members["values"]; ok {
		if err := json.Unmarshal(values, &claim.Values); err != nil || len(claim.Values) == 0 {
			return claim, &Error{CodeInvalidRequest, "must have an array that is not empty as values"}
		}
	}
	if value, ok := members["value"]; ok {
		claim.Values = append([]json.RawMessage{value}, claim.Values...)
	}
	for i, value := range claim.Values {
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil { // it was parsed once, as a part of the whole
			return claim, &Error{CodeInvalidRequest, "must have JSON as value"}
		}
		claim.Values[i] = compact.Bytes()
	}
	return claim, nil
}

// Allows tells whether a claim may have a value: one of those requested, or any when none is.
func (c ClaimRequest) Allows(value any) bool {
	if len(c.Values) == 0 {
		return true
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return false
	}
	var have any
	if err := json.Unmarshal(encoded, &have); err != nil {
		return false
	}
	return slices.ContainsFunc(c.Values, func(raw json.RawMessage) bool {
		var want any
		return json.Unmarshal(raw, &want) == nil && reflect.DeepEqual(have, want)
	})
}

// NamesSubject tells whether the request is for a certain person.
func (r *ClaimsRequest) NamesSubject() bool {
	return r != nil && (len(r.IDToken[ClaimSubject].Values) > 0 || len(r.Userinfo[ClaimSubject].Values) > 0)
}

// AllowsSubject tells whether the request may be answered for a subject (OpenID Connect Core sections 3.1.2.2 and 5.5.1).
func (r *ClaimsRequest) AllowsSubject(subject string) bool {
	return r == nil || r.IDToken[ClaimSubject].Allows(subject) && r.Userinfo[ClaimSubject].Allows(subject)
}

// AllowsACR tells whether the request may be answered with an authentication context class: one that is essential must be
// met, any other is a wish (OpenID Connect Core section 5.5.1.1).
func (r *ClaimsRequest) AllowsACR(acr string) bool {
	if r == nil {
		return true
	}
	claim := r.IDToken[ClaimACR]
	return !claim.Essential || acr != "" && claim.Allows(acr)
}

// Granted returns the request without the claims that are not requested for a person or that belong to a scope which the
// client is not registered for; nil when nothing is left. They are what a grant has to remember. own are names as in ReadClaims.
func (r *ClaimsRequest) Granted(registered []string, own ...string) *ClaimsRequest {
	if r == nil {
		return nil
	}
	keep := func(requested map[string]ClaimRequest) map[string]ClaimRequest {
		var kept map[string]ClaimRequest
		for name, claim := range requested {
			scope := ScopeOfClaim(name)
			if scope == "" && !slices.Contains(own, name) || scope != "" && !slices.Contains(registered, scope) {
				continue
			}
			if kept == nil {
				kept = map[string]ClaimRequest{}
			}
			kept[name] = claim
		}
		return kept
	}
	granted := &ClaimsRequest{Userinfo: keep(r.Userinfo), IDToken: keep(r.IDToken)}
	if len(granted.Userinfo)+len(granted.IDToken) == 0 {
		return nil
	}
	return granted
}

// Names returns the names of all claims that are requested, each once, sorted.
func (r *ClaimsRequest) Names() []string {
	if r == nil {
		return nil
	}
	var names []string
	for _, requested := range []map[string]ClaimRequest{r.Userinfo, r.IDToken} {
		for name := range requested {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Encode returns the request in the form that ReadClaims reads, or "" for nil.
func (r *ClaimsRequest) Encode() string {
	if r == nil {
		return ""
	}
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // it would make some texts six times as long
	if err := encoder.Encode(r); err != nil {
		return "" // every value in it was parsed from JSON
	}
	return strings.TrimSuffix(encoded.String(), "\n")
}

// ScopeOfClaim returns the scope with which a claim about a person is given (OpenID Connect Core section 5.4), or "" when
// there is no such claim here.
func ScopeOfClaim(name string) string {
	switch name {
	case "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at":
		return ScopeProfile
	case "email", "email_verified":
		return ScopeEmail
	case "phone_number", "phone_number_verified":
		return ScopePhone
	case "address":
		return ScopeAddress
	case "groups":
		return ScopeGroups
	default:
		return ""
	}
}
