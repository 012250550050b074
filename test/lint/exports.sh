#!/bin/bash
#
# exports.sh
#	  The built module exports what the server looks up by name and nothing
#	  else, so that it cannot clash with another extension in the same backend;
#	  and it needs nothing of its own that was not linked.

cd "$(dirname "$0")/../.." || exit 1

[ -e hashidx.so ] || { echo "hashidx.so is not built"; exit 1; }

exported=$(nm -D --defined-only hashidx.so | awk '{ print $NF }' | sed 's/@.*//')
echo "$exported" | grep -qx Pg_magic_func || { echo "Pg_magic_func is not exported"; status=1; }

stray=$(echo "$exported" | grep -vxE 'Pg_magic_func|_PG_init|_PG_fini|pg_finfo_hashidx_\w+|hashidx_\w+')
if [ -n "$stray" ]; then
	echo "exported, but not for SQL:" $stray
	status=1
fi

# A function that SQL can call has both symbols.
for symbol in $(echo "$exported" | sed -n 's/^pg_finfo_//p'); do
	echo "$exported" | grep -qx "$symbol" || { echo "$symbol is declared but not exported"; status=1; }
done

if nm -D --undefined-only hashidx.so | grep -E ' (hx|hashidx)_'; then
	echo "used, but defined nowhere"
	status=1
fi

exit "${status:-0}"
