package expression

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// Result is what an expression must give.
type Result int

// The kinds of results.
const (
	// Any is whatever JSON can say.
	Any Result = iota
	Text
	Truth
	Number
	// Texts is a list of texts.
	Texts
	Object
)

func (r Result) String() string {
	return [...]string{"any JSON", "a string", "a bool", "a number", "a list of strings", "a map"}[r]
}

// Kind is what is asked of an expression.
type Kind struct {
	Result Result
	// Timeless refuses the variable now.
	Timeless bool
}

// Program is an expression that can be evaluated.
type Program struct {
	program      cel.Program
	result       Result
	most, mostly uint64
}

// MaxCost returns what the expression can cost, in CEL's units: most for the largest person, mostly for one with up to 64 groups.
func (p *Program) MaxCost() (most, mostly uint64) { return p.most, p.mostly }

// Compile checks an expression and makes it ready. The error names line and column of each fault ("1:14: undeclared reference
// to 'usr'") and holds nothing but what stands in the expression.
func Compile(text string, kind Kind) (*Program, error) {
	key := cacheKey{text, kind}
	if known, ok := compiled.get(key); ok {
		return known, nil
	}
	program, err := compile(text, kind)
	if err != nil {
		return nil, err
	}
	compiled.put(key, program)
	return program, nil
}

func compile(text string, kind Kind) (*Program, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("make the environment of expressions: %w", err)
	}
	if longer(text, MaxLength) { // before any of it is read
		return nil, fmt.Errorf("must be at most %d characters long", MaxLength)
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, faults(issues)
	}
	if kind.Timeless {
		if err := timeless(checked); err != nil {
			return nil, err
		}
	}
	if !kind.Result.admits(checked.OutputType()) {
		return nil, fmt.Errorf("1:1: must give %s and gives %s%s", kind.Result, nameOf(checked.OutputType()), hint(kind.Result, checked.OutputType()))
	}
	most, err := estimated(env, checked, largestPerson, maxCost)
	if err != nil {
		return nil, err
	}
	mostly, err := estimated(env, checked, usualPerson, maxUsualCost)
	if err != nil {
		return nil, err
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxActualCost), cel.MemoryLimit(maxMemory))
	if err != nil {
		return nil, fmt.Errorf("1:1: %w", err)
	}
	return &Program{program, kind.Result, most, mostly}, nil
}

// estimated returns what an expression can cost at most for a person of a size.
func estimated(env *cel.Env, checked *cel.Ast, person sizes, limit uint64) (uint64, error) {
	estimate, err := env.EstimateCost(checked, person)
	if err != nil {
		return 0, fmt.Errorf("1:1: estimate cost: %w", err)
	}
	if estimate.Max > limit {
		return 0, fmt.Errorf("1:1: can cost too much (%d units for a person with %d groups, of %d): loop over less, or not in a loop",
			estimate.Max, person.groups, limit)
	}
	return estimate.Max, nil
}

// maxMemory bounds what an expression holds at a time, in characters and elements.
const maxMemory = 1 << 20

// maxFaults is how many faults of one expression are told: most follow from the first.
const maxFaults = 3

func faults(issues *cel.Issues) error {
	var found []string
	for _, e := range issues.Errors() {
		if len(found) == maxFaults {
			break
		}
		message := strings.ReplaceAll(e.Message, " (in container '')", "")
		// The parser puts the rest of a grammar rule on lines of its own.
		message, _, _ = strings.Cut(message, "\n")
		found = append(found, at(e.Location.Line(), e.Location.Column(), message))
	}
	return errors.New(strings.Join(found, "; "))
}

// at puts a position before a message. Columns are counted from 0 by CEL and from 1 by people.
func at(line, column int, message string) string {
	return fmt.Sprintf("%d:%d: %s", max(line, 1), max(column, 0)+1, message)
}

func timeless(checked *cel.Ast) error {
	var fault error
	native := checked.NativeRep()
	ast.PreOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind && e.AsIdent() == variableNow && fault == nil {
			location := native.SourceInfo().GetStartLocation(e.ID())
			fault = errors.New(at(location.Line(), location.Column(), "now is not available here, because the result must stay the same"))
		}
	}))
	return fault
}

// admits tells whether an expression of a type can give the result. What is known only when it is evaluated (dyn) can.
func (r Result) admits(t *cel.Type) bool {
	kind := t.Kind()
	if kind == types.DynKind || kind == types.AnyKind || kind == types.TypeParamKind {
		return true
	}
	if kind == types.NullTypeKind && r != Truth {
		return true // no value
	}
	switch r {
	case Text:
		return kind == types.StringKind
	case Truth:
		return kind == types.BoolKind
	case Number:
		return kind == types.IntKind || kind == types.UintKind || kind == types.DoubleKind
	case Texts:
		return kind == types.ListKind && Text.admits(t.Parameters()[0])
	case Object:
		return kind == types.MapKind && Any.admits(t)
	}
	switch kind {
	case types.ListKind:
		return Any.admits(t.Parameters()[0])
	case types.MapKind:
		return Text.admits(t.Parameters()[0]) && Any.admits(t.Parameters()[1])
	case types.BoolKind, types.IntKind, types.UintKind, types.DoubleKind, types.StringKind, types.BytesKind,
		types.TimestampKind, types.DurationKind:
		return true
	default:
		return false
	}
}

func nameOf(t *cel.Type) string {
	if t.Kind() == types.StructKind {
		return "an object"
	}
	return cel.FormatCELType(t)
}

func hint(want Result, got *cel.Type) string {
	switch {
	case want == Any && got.Kind() == types.StructKind:
		return "; choose fields of it"
	case want == Any && got.Kind() == types.MapKind:
		return "; the names in a map must be strings"
	default:
		return ""
	}
}
