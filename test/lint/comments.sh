#!/bin/bash
#
# comments.sh
#	  Every source file begins with a comment that names it and tells its duty.

cd "$(dirname "$0")/../.." || exit 1

# complain_unless FILE LINES PATTERN: the first lines, joined, must match.
complain_unless()
{
	if ! head -n "$2" "$1" | tr '\n\t' '  ' | grep -qE -- "$3"; then
		echo "$1: does not begin with a comment that names the file and tells its duty"
		status=1
	fi
}

for file in $(find src test -name '*.[ch]' | sort); do
	complain_unless "$file" 3 "^/\* +\* $(basename "$file") +\* +[A-Za-z0-9]"
done
for file in $(find test .ci -name '*.sh' -o -name run -type f | sort); do
	complain_unless "$file" 4 "^(#!/bin/(ba)?sh # )?# .*[a-z]"
done
for file in $(find sql test -name '*.sql' ! -name 'hashidx--*' | sort) $(find test -name '*.p[lm]' | sort); do
	complain_unless "$file" 5 "^(#![^ ]+ ( *-w)?)?( *(#|--))+ *[A-Za-z0-9]"
done

exit "${status:-0}"
