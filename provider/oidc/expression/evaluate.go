package expression

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Input is what an expression is evaluated with.
type Input struct {
	User   *User
	Client *Client
	Now    time.Time

	cost uint64
}

// Cost returns what has been evaluated with the input so far has cost, in CEL's units.
func (in *Input) Cost() uint64 { return in.cost }

// Error says why an expression has no result for somebody. It tells nothing of the person, so that it can be logged; the cause
// below it can hold what is known of them.
type Error struct {
	// Reason is one of the Reason constants.
	Reason string
	cause  error
}

// The values of Error.Reason.
const (
	// ReasonCost: it took too many steps or too much memory.
	ReasonCost = "cost"
	// ReasonSize: the person, or the result, is larger than expressions are made for.
	ReasonSize = "size"
	// ReasonType: the result is not of the type that it must have.
	ReasonType = "type"
	// ReasonValue: an operation has no result for these values, such as the second element of a list with one.
	ReasonValue = "value"
)

// Error returns the reason in words.
func (e *Error) Error() string {
	switch e.Reason {
	case ReasonCost:
		return "the expression takes too long"
	case ReasonSize:
		return "the person or the result is too large for an expression"
	case ReasonType:
		return "the result has another type than it must have"
	default:
		return "the expression has no result for the values of this person"
	}
}

// Unwrap returns what CEL says, with values of the person in it.
func (e *Error) Unwrap() error { return e.cause }

// maxResult is how long a result may be as JSON, in bytes. ID tokens travel in URLs and headers.
const maxResult = 16 << 10

// Evaluate returns the result as JSON, or nil for null and the empty text: "no value", which is not told (OpenID Connect Core
// section 5.3.2). The error is an *Error.
func (p *Program) Evaluate(in *Input) (json.RawMessage, error) {
	value, err := p.run(in)
	if err != nil {
		return nil, err
	}
	plain, err := plainOf(value, 0)
	switch {
	case err != nil:
		return nil, &Error{ReasonType, err}
	case plain == nil || plain == "":
		return nil, nil
	case !p.result.is(plain):
		return nil, &Error{ReasonType, errors.New("the result is not " + p.result.String())}
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // no page is made of it, and people read it in messages
	if err := encoder.Encode(plain); err != nil {
		return nil, &Error{ReasonType, err}
	}
	if encoded.Len() > maxResult {
		return nil, &Error{ReasonSize, errors.New("the result is longer than " + strconv.Itoa(maxResult) + " bytes")}
	}
	return bytes.TrimSpace(encoded.Bytes()), nil
}

// Text evaluates an expression that gives a text. The error is an *Error.
func (p *Program) Text(in *Input) (string, error) {
	value, err := p.run(in)
	if err != nil {
		return "", err
	}
	text, ok := value.(types.String)
	if !ok {
		return "", &Error{ReasonType, errors.New("the result is not a string")}
	}
	return string(text), nil
}

// Truth evaluates an expression that gives true or false. The error is an *Error.
func (p *Program) Truth(in *Input) (bool, error) {
	value, err := p.run(in)
	if err != nil {
		return false, err
	}
	truth, ok := value.(types.Bool)
	if !ok {
		return false, &Error{ReasonType, errors.New("the result is not a bool")}
	}
	return bool(truth), nil
}

// maxInputCost is what may be spent on one input, such as by all claims of a token. The expression that goes beyond it still ends.
const maxInputCost = 2 * maxActualCost

func (p *Program) run(in *Input) (ref.Val, error) {
	if in.cost > maxInputCost {
		return nil, &Error{ReasonCost, errors.New("the expressions before it have cost too much")}
	}
	if !in.User.withinBounds() {
		return nil, &Error{ReasonSize, errors.New("the person has a longer text or more groups than expressions are made for")}
	}
	value, details, err := p.program.Eval(map[string]any{
		variableUser: in.User, variableClient: in.Client, variableNow: types.Timestamp{Time: in.Now.UTC()},
	})
	if cost := details.ActualCost(); cost != nil {
		in.cost += *cost
	}
	switch {
	case err == nil:
		return value, nil
	case strings.Contains(err.Error(), "limit exceeded"):
		return nil, &Error{ReasonCost, err}
	default:
		return nil, &Error{ReasonValue, err}
	}
}

// is tells whether a value, as plainOf returns it, is of the kind.
func (r Result) is(value any) bool {
	ok := true
	switch r {
	case Text:
		_, ok = value.(string)
	case Truth:
		_, ok = value.(bool)
	case Number:
		switch value.(type) {
		case int64, uint64, float64:
		default:
			ok = false
		}
	case Texts:
		var list []any
		if list, ok = value.([]any); ok {
			for _, element := range list {
				_, text := element.(string)
				ok = ok && text
			}
		}
	case Object:
		_, ok = value.(map[string]any)
	}
	return ok
}

// maxResultDepth is how deep lists and maps in a result may be nested.
const maxResultDepth = 8

// plainOf returns a value as encoding/json takes it.
func plainOf(value ref.Val, depth int) (any, error) {
	if depth > maxResultDepth {
		return nil, errors.New("the result is nested too deep")
	}
	switch v := value.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		return uint64(v), nil
	case types.Double:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("JSON has no infinite numbers")
		}
		return float64(v), nil
	case types.String:
		return string(v), nil
	case types.Bytes:
		return base64.StdEncoding.EncodeToString(v), nil
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339Nano), nil
	case types.Duration:
		return strconv.FormatFloat(v.Seconds(), 'f', -1, 64) + "s", nil
	case traits.Mapper:
		return plainMap(v, depth)
	case traits.Lister:
		return plainList(v, depth)
	default:
		return nil, errors.New("a result of type " + value.Type().TypeName() + " cannot be told")
	}
}

func plainList(list traits.Lister, depth int) (any, error) {
	plain := []any{}
	for i := list.Iterator(); i.HasNext() == types.True; {
		element, err := plainOf(i.Next(), depth+1)
		if err != nil {
			return nil, err
		}
		plain = append(plain, element)
	}
	return plain, nil
}

func plainMap(from traits.Mapper, depth int) (any, error) {
	plain := map[string]any{}
	for i := from.Iterator(); i.HasNext() == types.True; {
		key := i.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, errors.New("the names in a map must be strings")
		}
		value, err := plainOf(from.Get(key), depth+1)
		if err != nil {
			return nil, err
		}
		plain[string(name)] = value
	}
	return plain, nil
}
