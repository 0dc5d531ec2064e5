#!/bin/sh
# Runs a "go build -v", and says that it goes on where that takes long: the first build compiles about a thousand
# packages, and prints nothing by itself for minutes.
#
#   progress.sh go build -v ARGUMENT...
log=$(mktemp) || exit

# packages prints the names of the packages that were compiled.
packages() { grep '^[^#[:space:]][^[:space:]]*$' "$log"; }

# progress prints a line every few seconds until this shell ends. A sleep that survives it must not hold the output open.
progress() {
	sleep 3 >/dev/null 2>&1
	[ -s "$log" ] || sleep 4 >/dev/null 2>&1
	echo 'Building. The first time this takes some minutes, because Go compiles all packages; later it takes seconds.'
	while kill -0 $$ 2>/dev/null; do
		echo "  $(packages | wc -l | tr -d ' ') packages so far; the last line of Go: $(tail -n 1 "$log")"
		sleep 5 >/dev/null 2>&1
	done
}

progress &
trap 'kill $! 2>/dev/null; rm -f "$log"' EXIT
trap 'exit 130' HUP INT TERM

"$@" 2>"$log"
status=$?
# What went wrong, without the names of the packages.
[ $status -eq 0 ] || grep -v '^[^#[:space:]][^[:space:]]*$' "$log" >&2
exit $status
