#!/bin/bash
#
# headers.sh
#	  Every header compiles alone, so that the order of includes never matters.
#	  Not meant: *_body.h, *_level.h and level_table.h, compiled once for each level, and
#	  compat.h, which is the second half of hashidx.h.

cd "$(dirname "$0")/../.." || exit 1

server=$("${PG_CONFIG:-pg_config}" --includedir-server)

for header in $(find src -name '*.h' ! -name '*_body.h' ! -name '*_level.h' \
	! -name level_table.h ! -name compat.h | sort); do
	if ! ${CC:-gcc} -std=gnu11 -fsyntax-only -Wall -Wno-unused-function -Werror -Isrc -isystem "$server" \
		-x c -include "$header" - </dev/null; then
		echo "$header does not compile alone"
		status=1
	fi
done

exit "${status:-0}"
