#!/bin/bash
#
# readmes.sh
#	  Every folder of src that holds code has a README, and each is a real one.

cd "$(dirname "$0")/../.." || exit 1

for folder in $(find src -name '*.[ch]' | sed 's|/[^/]*$||' | sort -u); do
	if [ ! -s "$folder/README" ]; then
		echo "$folder has no README"
		status=1
	elif [ "$(wc -l < "$folder/README")" -lt 10 ]; then
		echo "$folder/README tells too little"
		status=1
	fi
done

exit "${status:-0}"
