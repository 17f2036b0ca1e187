package synologysso

import _ "embed"

// ScriptVersion is in the name of the script, by which applications load it.
const ScriptVersion = "1.0.0"

//go:embed sdk.js
var script []byte

// Script returns the script that applications load. It must not be changed.
func Script() []byte { return script }
