#!/bin/bash
#
# sql.sh
#	  The parts of the extension script hold nothing that a hostile schema or an
#	  earlier object could turn to its own use. (That every object has a comment is
#	  asked of the installed extension: test/sql/extension.sql.)

cd "$(dirname "$0")/../.." || exit 1

# forbid PATTERN WHY: the pattern must not occur in the SQL, comments aside.
forbid()
{
	local part

	for part in sql/parts/*.sql; do
		if sed 's/--.*//' "$part" | grep -nEi "$1" | sed "s|^|$part:|" | grep .; then
			echo "$2"
			status=1
		fi
	done
}

forbid 'SECURITY[[:space:]]+DEFINER' "no function runs with another user's rights"
forbid 'CREATE[[:space:]]+OR[[:space:]]+REPLACE' "an install script creates, it replaces nothing"
forbid 'IF[[:space:]]+NOT[[:space:]]+EXISTS' "an install script never takes over an object that is there"
forbid 'LEAKPROOF' "no function is promised leakproof"
forbid '\b(SET|set_config)\b.*search_path' "a relocatable script leaves search_path alone"
forbid 'AS[[:space:]]+.(\$libdir|hashidx)' "the module is MODULE_PATHNAME"

first=$(ls sql/parts/*.sql | head -n 1)
if ! grep -q '^\\echo .* \\quit$' "$first"; then
	echo "$first: the script must begin with a guard against psql: \\echo ... \\quit"
	status=1
fi

exit "${status:-0}"
