#!/bin/bash
#
# versions.sh
#	  Differences between server versions live in src/compat.h (and in the one
#	  function that fills IndexAmRoutine, which is all fields); the version of
#	  hashidx lives in hashidx.control, with which META.json agrees.

cd "$(dirname "$0")/../.." || exit 1

if grep -rn 'PG_VERSION_NUM' src --include='*.[ch]' |
	grep -vE '^src/(compat\.[ch]|am/common/am_handler\.c):'; then
	echo "PG_VERSION_NUM belongs in src/compat.[ch]"
	status=1
fi

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" hashidx.control)
[ -n "$version" ] || { echo "hashidx.control has no default_version"; exit 1; }

if grep -rnF "$version" Makefile src sql/parts test .ci --include='*' 2>/dev/null |
	grep -v '^test/sql/\|^Binary'; then
	echo "the version $version is known from hashidx.control alone"
	status=1
fi

for found in $(sed -n 's/^.*"version": *"\([0-9][^"]*\)".*/\1/p' META.json); do
	case $found in
		"$version" | 1.0.0) ;;		# 1.0.0 is the version of the META.json format
		*) echo "META.json says $found, hashidx.control $version"; status=1 ;;
	esac
done

exit "${status:-0}"
