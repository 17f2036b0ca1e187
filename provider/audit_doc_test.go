package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every event is in the documentation, and every event of the documentation is in the code.
func TestAuditEventsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n## Events\n")
	if !found {
		t.Fatal("docs/audit.md has no section Events")
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z.]+)` \\|").FindAllStringSubmatch(table, -1) {
		documented[row[1]] = true
	}
	events := constantsOfEvents(t)
	if len(events) < 15 {
		t.Errorf("only %d events are found in the code", len(events))
	}
	for event := range events {
		if !documented[event] {
			t.Errorf("%s is not documented", event)
		}
	}
	if listed := auditEvents(); len(listed) != len(events) {
		t.Errorf("%d events are listed, and there are %d", len(listed), len(events))
	}
	for event := range documented {
		if !events[event] {
			t.Errorf("%s is documented and does not exist", event)
		}
	}
}

// constantsOfEvents returns the values of the package's constants of type auditEvent, and demands that each is recorded
// somewhere: beside its own line and the list of all there is another that names it.
func constantsOfEvents(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	events, names, uses := map[string]bool{}, []string{}, map[string]int{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if name, ok := node.(*ast.Ident); ok {
				uses[name.Name]++
			}
			spec, ok := node.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "auditEvent" {
				value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil || events[value] {
					t.Errorf("two constants are %q (%v)", value, err)
				}
				events[value], names = true, append(names, spec.Names[0].Name)
			}
			return true
		})
	}
	for _, name := range names {
		if uses[name] < 3 {
			t.Errorf("%s is never recorded", name)
		}
	}
	return events
}
