#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (10m), all at the same time with one worker
# each. What they find is kept in the package's testdata/fuzz, where every test run
# tries it again. Little time goes into making them shorter: a target whose runs differ a
# little each time, as those with a whole provider do, would do hardly anything else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

duration=${FUZZTIME:-10m}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
targets=() running=() failed=0
for dir in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
  binary=$scratch/$(echo "$dir" | tr / _).test
  echo "fuzz: building $dir"
  go test -c -fuzz=. -o "$binary" "$dir"
  while read -r target; do
    targets+=("$target in $dir")
    (cd "$dir" && exec "$binary" -test.run='^$' -test.fuzz="^$target\$" -test.fuzztime="$duration" -test.fuzzminimizetime=1s -test.parallel=1 \
      -test.fuzzcachedir="$scratch/corpus/$target" >"$scratch/$target.log" 2>&1) &
    running+=("$!")
  done < <(grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | awk '{print $2}')
done
echo "fuzz: ${#targets[@]} targets for $duration"
for i in "${!running[@]}"; do
  name=${targets[$i]%% *}
  # At the end of its time a target can fail with nothing but "context deadline exceeded", which is no finding.
  if wait "${running[$i]}" || { grep -q 'context deadline exceeded' "$scratch/$name.log" && ! grep -q 'Failing input' "$scratch/$name.log"; }; then
    echo "fuzz: ok   ${targets[$i]}: $(grep -oE 'execs: [0-9]+' "$scratch/$name.log" | tail -1)"
  else
    failed=1
    echo "fuzz: FAIL ${targets[$i]}" >&2
    tail -n 20 "$scratch/$name.log" >&2
  fi
done
exit "$failed"
