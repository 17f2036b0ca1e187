package expression

import (
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// The names of the variables.
const (
	variableUser   = "user"
	variableClient = "client"
	variableNow    = "now"
)

const (
	// MaxLength is how long an expression may be, in characters.
	MaxLength = 2048
	// maxCost is what an expression may cost in CEL's units by the estimate for the largest person, and maxUsualCost by that for one
	// larger than most. The first leaves room, since estimates are too high; the second is a few milliseconds. Usual are some microseconds.
	maxCost      = 1_000_000
	maxUsualCost = 25_000
	// maxActualCost is where an evaluation stops, some tens of milliseconds. Only people with hundreds of long groups come near.
	maxActualCost = 200_000
	// How deep brackets, and loops that begin with the result of another, may be nested.
	maxDepth, maxLoops = 50, 4
	// maxPattern bounds the program that a regular expression becomes.
	maxPattern = 1000
)

// environment is made once, when the first expression is compiled: it takes a few milliseconds and some hundred kilobytes,
// which a provider without expressions does not pay, and it does not change afterwards.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Types(
			cel.NativeTypeFor[User](types.NativeTypeAlias("User"), types.ParseStructTag("json")),
			cel.NativeTypeFor[Client](types.NativeTypeAlias("Client"), types.ParseStructTag("json")),
		),
		cel.Variable(variableUser, cel.ObjectType("User")),
		cel.Variable(variableClient, cel.ObjectType("Client")),
		cel.Variable(variableNow, cel.TimestampType),
		ext.Strings(ext.StringsVersion(5)),
		ext.Sets(),
		ext.Bindings(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(MaxLength),
		cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNodeLimit(4*MaxLength),
		cel.RegexProgramSizeLimit(maxPattern),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals(),
			cel.ValidateComprehensionNestingLimit(maxLoops), unavailable{},
		),
	)
})

// unavailable reports what the libraries bring along and an expression must not use.
type unavailable struct{}

func (unavailable) Name() string { return "oidc-operator.dev/unavailable" }

func (unavailable) Validate(_ *cel.Env, _ cel.ValidatorConfig, a *ast.AST, issues *cel.Issues) {
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			if e.AsCall().FunctionName() == "format" {
				issues.ReportErrorAtID(e.ID(), "format is not available, because its cost cannot be told; join texts with +")
			}
		case ast.StructKind:
			issues.ReportErrorAtID(e.ID(), "objects cannot be made; write a map: {'name': value}")
		}
	}))
}

// sizes tells the estimate of costs how large variables can be: texts and groups in characters, and how many groups.
type sizes struct{ text, group, groups uint64 }

// The people whom costs are estimated for: the largest that expressions are made for, and one larger than most.
var (
	largestPerson = sizes{maxText, maxGroup, maxGroups}
	usualPerson   = sizes{256, 64, 64}
)

// EstimateSize returns the size of what a path leads to.
func (s sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	path := node.Path()
	if len(path) < 2 || !slices.Contains([]string{variableUser, variableClient}, path[0]) {
		return nil
	}
	size := cost.RangedSizeEstimate(0, s.text)
	if path[1] == "groups" {
		size = cost.RangedSizeEstimate(0, s.group)
		if len(path) == 2 {
			size = cost.ListSizeEstimate(cost.RangedSizeEstimate(0, s.groups), size)
		}
	}
	return &size
}

// EstimateCallCost leaves the cost of functions to the libraries.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
