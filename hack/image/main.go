// Command image builds container images without a container engine, and serves them to a container runtime of this machine.
//
//	image build LAYOUT ENTRYPOINT FILE...   an OCI image layout with the named files at the image's root
//	image serve ADDRESS REFERENCE=LAYOUT... a registry with images of such layouts, until it is interrupted
//
// An image is reproducible: the same files give the same digest. It runs as the user 65532, holds the CA certificates of the
// machine it was built on and a directory /tmp, and nothing else besides the files.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

const usage = "usage: image build LAYOUT ENTRYPOINT FILE... | image serve ADDRESS REFERENCE=LAYOUT..."

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 4 && args[0] == "build":
		files := slices.Clone(args[3:])
		sortByName(files) // the order of the arguments leaves no trace in the digest
		return build(args[1], args[2], files)
	case len(args) >= 3 && args[0] == "serve":
		return serve(args[1], args[2:])
	}
	return errors.New(usage)
}
