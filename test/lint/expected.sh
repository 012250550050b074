#!/bin/bash
#
# expected.sh
#	  Every regression and isolation test has an expected output, and every
#	  expected output a test.

cd "$(dirname "$0")/../.." || exit 1

# pair INPUTS INPUT_ENDING OUTPUTS: the names in the two folders agree.
pair()
{
	local name

	for name in $(find "$1" -name "*.$2" 2>/dev/null | sed "s|.*/||; s|\.$2\$||" | sort); do
		[ -e "$3/$name.out" ] || { echo "$1/$name.$2 has no $3/$name.out"; status=1; }
	done
	for name in $(find "$3" -name '*.out' 2>/dev/null | sed 's|.*/||; s|\.out$||' | sort); do
		# name_1.out is a second answer that is right as well.
		[ -e "$1/$name.$2" ] || [ -e "$1/${name%_[0-9]}.$2" ] ||
			{ echo "$3/$name.out belongs to no test"; status=1; }
	done
}

pair test/sql sql expected
pair test/isolation/specs spec test/isolation/expected

exit "${status:-0}"
