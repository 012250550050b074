#!/bin/bash
#
# readmes.sh
#	  Every folder of src that holds code has a README, each is a real one, and it tells of
#	  every file there: name.c, name.[ch], or prefix_*.c for files that are alike.

cd "$(dirname "$0")/../.." || exit 1

for folder in $(find src -name '*.[ch]' | sed 's|/[^/]*$||' | sort -u); do
	if [ ! -s "$folder/README" ]; then
		echo "$folder has no README"
		status=1
	elif [ "$(wc -l < "$folder/README")" -lt 10 ]; then
		echo "$folder/README tells too little"
		status=1
	fi
	for file in "$folder"/*.[ch]; do
		name=$(basename "${file%.[ch]}")
		if ! grep -qw -- "$name" "$folder/README" && ! grep -qF -- "${name%%_*}_*" "$folder/README"; then
			echo "$folder/README does not tell of $(basename "$file")"
			status=1
		fi
	done
done

exit "${status:-0}"
