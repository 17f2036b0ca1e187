package conformance_test

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

// source is what the Go files of a directory's tests hold.
type source struct {
	// files are the names of the files by the tests in them.
	files map[string]string
	// texts are the string literals of each file.
	texts map[string]map[string]bool
}

func readTests(t *testing.T, dir string) source {
	t.Helper()
	s := source{files: map[string]string{}, texts: map[string]map[string]bool{}}
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.texts[name] = map[string]bool{}
		ast.Inspect(file, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && strings.HasPrefix(n.Name.Name, "Test") && n.Name.Name != "TestMain" {
					s.files[n.Name.Name] = name
				}
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					s.texts[name][text] = true
				}
			}
			return true
		})
	}
	return s
}

var (
	quoted    = regexp.MustCompile("`([^`]+)`")
	testNamed = regexp.MustCompile(`^(?:([\w/]+)\.)?(Test\w+)(?:/(.+))?$`)
)

// docs/conformance.md names files, tests and cases that exist, and every test of this package.
func TestPageOfConformance(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	own := readTests(t, ".")
	directories := map[string]source{"": own}
	named := map[string]bool{"TestPageOfConformance": true, "TestOpenIDClientIsPinned": true}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 4 || !strings.Contains(cells[3], "Test") {
			continue
		}
		rows++
		files, tests := quoted.FindAllStringSubmatch(cells[2], -1), quoted.FindAllStringSubmatch(cells[3], -1)
		if len(files) == 0 || len(tests) == 0 {
			t.Errorf("no file or no test for: %s", cells[0])
		}
		for _, file := range files {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file[1]))); err != nil {
				t.Errorf("there is no file %s", file[1])
			}
		}
		for _, test := range tests {
			parts := testNamed.FindStringSubmatch(test[1])
			if parts == nil {
				t.Errorf("%s is no test", test[1])
				continue
			}
			if _, read := directories[parts[1]]; !read {
				directories[parts[1]] = readTests(t, filepath.Join(root, filepath.FromSlash(parts[1])))
			}
			from := directories[parts[1]]
			file, exists := from.files[parts[2]]
			if !exists || parts[3] != "" && !from.texts[file][parts[3]] {
				t.Errorf("there is no test %s", test[1])
			}
			named[parts[2]] = named[parts[2]] || parts[1] == ""
		}
	}
	if rows < 80 {
		t.Errorf("the page has %d rows", rows)
	}
	for test := range own.files {
		if !named[test] {
			t.Errorf("%s is not on the page", test)
		}
	}
}
