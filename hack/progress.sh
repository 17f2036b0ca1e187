#!/usr/bin/env bash
# progress.sh WHAT COMMAND...
# Runs a command that may take minutes and says every ten seconds that it still
# does. What it prints is shown when it fails. Everything goes to standard error.
set -euo pipefail

what=$1
shift
log=$(mktemp)
"$@" >"$log" 2>&1 </dev/null &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -f "$log"' EXIT

next=10
while kill -0 "$pid" 2>/dev/null; do
  sleep 0.1
  if [ "$SECONDS" -ge "$next" ]; then
    echo "$what ... $SECONDS s" >&2
    next=$((next + 10))
  fi
done
status=0
wait "$pid" || status=$?
if [ "$status" != 0 ]; then
  cat "$log" >&2
  echo "$what: failed after $SECONDS s" >&2
elif [ "$SECONDS" -ge 3 ]; then
  echo "$what: done in $SECONDS s" >&2
fi
exit "$status"
