package templates

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

const (
	// maxTextBytes bounds a value, and also everything that a function returns: no chain of functions can grow beyond it.
	maxTextBytes = 64 * 1024
	// maxLoopDepth bounds how deep one range may stand in another. The lists that a template is given are short.
	maxLoopDepth = 2
)

// Render returns what template makes of values. key names the template in errors, which hold the position and no value.
func Render(key, text string, values map[string]any) (string, error) {
	t, err := template.New(key).Option("missingkey=error").Funcs(functions()).Parse(text)
	if err != nil {
		return "", explain(key, err)
	}
	if len(t.Templates()) > 1 {
		return "", fmt.Errorf("%s: define and block are not allowed", key)
	}
	if t.Tree == nil {
		return "", nil // the text is empty
	}
	if err := check(t.Tree, t.Root, 0); err != nil {
		return "", err
	}
	var out limited
	if err := t.Execute(&out, values); err != nil {
		return "", explain(key, err)
	}
	return out.text.String(), nil
}

// position is how text/template begins an error: "template: KEY:1:5: " or, from the parser, "template: KEY:1: ".
var position = regexp.MustCompile(`^template: .*?:(\d+)(?::(\d+))?: (?s:(.*))$`)

// executing is what it goes on with when a template has failed at a field or function, which it quotes from the template.
var executing = regexp.MustCompile(`^executing ".*?" at (<.*?>): (?s:(.*))$`)

// explain returns err as "KEY, line 1, column 5: ...".
func explain(key string, err error) error {
	m := position.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	at := key + ", line " + m[1]
	if column, err := strconv.Atoi(m[2]); err == nil {
		at += ", column " + strconv.Itoa(column+1) // people count from one
	}
	message := m[3]
	if e := executing.FindStringSubmatch(message); e != nil {
		message = e[1] + ": " + e[2]
	}
	return errors.New(at + ": " + message)
}

// check refuses what could run for long or grow without bound.
func check(tree *parse.Tree, node parse.Node, loops int) error {
	refuse := func(format string, args ...any) error {
		location, _ := tree.ErrorContext(node)
		return explain(tree.Name, fmt.Errorf("template: "+location+": "+format, args...))
	}
	switch n := node.(type) {
	case *parse.TemplateNode:
		return refuse("template is not allowed")
	case *parse.RangeNode:
		if !ofField(n.Pipe) {
			return refuse("range is allowed only over scopeList and redirectURIs")
		}
		if loops++; loops > maxLoopDepth {
			return refuse("range must not stand in more than %d others", maxLoopDepth-1)
		}
	case *parse.IdentifierNode:
		if !allowed(n.Ident) {
			return refuse("function %q is not allowed", n.Ident)
		}
	}
	for _, child := range children(node) {
		if err := check(tree, child, loops); err != nil {
			return err
		}
	}
	return nil
}

// ofField tells whether a loop goes over one of the lists that every template is given, and not over a number.
func ofField(pipe *parse.PipeNode) bool {
	if len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return false
	}
	switch n := pipe.Cmds[0].Args[0].(type) {
	case *parse.FieldNode:
		return isList(n.Ident)
	case *parse.VariableNode: // $.scopeList, which is what .scopeList is called within a loop
		return len(n.Ident) > 1 && n.Ident[0] == "$" && isList(n.Ident[1:])
	default:
		return false
	}
}

func isList(path []string) bool {
	return len(path) == 1 && (path[0] == "scopeList" || path[0] == "redirectURIs")
}

// children returns the nodes directly below a node.
func children(node parse.Node) []parse.Node {
	var found []parse.Node
	add := func(pipe *parse.PipeNode, lists ...*parse.ListNode) {
		if pipe != nil {
			found = append(found, pipe)
		}
		for _, list := range lists {
			if list != nil {
				found = append(found, list)
			}
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		found = n.Nodes
	case *parse.ActionNode:
		add(n.Pipe)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			found = append(found, c)
		}
	case *parse.CommandNode:
		found = n.Args
	case *parse.ChainNode:
		found = append(found, n.Node)
	case *parse.IfNode:
		add(n.Pipe, n.List, n.ElseList)
	case *parse.WithNode:
		add(n.Pipe, n.List, n.ElseList)
	case *parse.RangeNode:
		add(n.Pipe, n.List, n.ElseList)
	}
	return found
}

// limited is a buffer that takes no more than maxTextBytes.
type limited struct {
	text strings.Builder
}

func (l *limited) Write(p []byte) (int, error) {
	if l.text.Len()+len(p) > maxTextBytes {
		return 0, errTooLong
	}
	return l.text.Write(p)
}

var errTooLong = fmt.Errorf("it becomes longer than %d KiB", maxTextBytes/1024)
