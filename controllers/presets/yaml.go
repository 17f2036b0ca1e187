package presets

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// marshalYAML returns content as YAML. Every text value is quoted: what an unquoted word is taken for differs between the YAML
// libraries of the applications.
func marshalYAML(content any) ([]byte, error) {
	var document yaml.Node
	if err := document.Encode(content); err != nil {
		return nil, fmt.Errorf("encode YAML: %w", err)
	}
	quoteText(&document)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return nil, fmt.Errorf("encode YAML: %w", err)
	}
	return out.Bytes(), nil
}

func quoteText(node *yaml.Node) {
	for i, child := range node.Content {
		// The keys of a mapping are every other node. Those that we have named need no quotes; what users name does.
		if node.Kind == yaml.MappingNode && i%2 == 0 && plainKey(child.Value) {
			continue
		}
		quoteText(child)
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!str" {
		node.Style = yaml.DoubleQuotedStyle
	}
}

// plainKey tells whether every YAML library reads a key as text: a letter and more letters, digits, underscores and hyphens,
// and no word that means yes, no or nothing.
func plainKey(key string) bool {
	switch strings.ToLower(key) {
	case "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	for i, r := range key {
		letter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || (r != '_' && r != '-' && (r < '0' || r > '9'))) {
			return false
		}
	}
	return len(key) > 1
}
