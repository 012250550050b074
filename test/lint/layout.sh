#!/bin/bash
#
# layout.sh
#	  C sources are indented by tabs, at most 100 columns wide (a line with a string,
#	  which is better not broken, may be wider) and 700 lines long,
#	  without stray blanks; the rest of the layout is .clang-format's.

cd "$(dirname "$0")/../.." || exit 1

for file in $(find src test -name '*.[ch]' | sort); do
	lines=$(wc -l < "$file")
	if [ "$lines" -gt 700 ]; then
		echo "$file has $lines lines: split it (700 at most)"
		status=1
	fi
	if expand -t 4 "$file" | awk -v f="$file" '
		length > 100 && !/"/ { print f ":" NR ": wider than 100 columns (" length ")"; bad = 1 }
		END { exit !bad }'; then
		status=1
	fi
	if grep -nE '^ {4,}[^ *]' "$file" | sed "s|^|$file:|" | grep .; then
		echo "$file: indented by blanks instead of tabs"
		status=1
	fi
done

if grep -rnIE '[[:space:]]+$' src sql/parts test docs Makefile --include='*.[ch]' --include='*.sh' \
	--include='*.sql' --include='*.p[lm]' --include='*.md' --include=README --include=Makefile; then
	echo "blanks at the end of a line"
	status=1
fi

exit "${status:-0}"
