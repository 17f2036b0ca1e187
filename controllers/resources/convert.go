package resources

import (
	"encoding/json"
	"fmt"
)

// convert turns an API type into its apply configuration, which has the same JSON form. It panics when it has not, which
// a test of each use excludes.
func convert[T any](from any) *T {
	data, err := json.Marshal(from)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", from, err))
	}
	to := new(T)
	if err := json.Unmarshal(data, to); err != nil {
		panic(fmt.Sprintf("decode %T into %T: %v", from, to, err))
	}
	return to
}
