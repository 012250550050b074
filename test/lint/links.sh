#!/bin/bash
#
# links.sh
#	  Links between documents lead to files that are there, and to headings that they have.

cd "$(dirname "$0")/../.." || exit 1

# anchors FILE: the headings of a document as links name them.
anchors()
{
	awk '/^```/ { code = !code } !code && /^#+ / { sub(/^#+ +/, ""); print tolower($0) }' "$1" |
		sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

while IFS=: read -r file link; do
	target=${link%%#*}
	path=$(dirname "$file")/$target
	if [ -z "$target" ]; then
		path=$file
	fi
	if [ ! -e "$path" ]; then
		echo "$file links to $target, which is not there"
		status=1
	elif [ "$link" != "$target" ] && ! anchors "$path" | grep -qxF -- "${link#*#}"; then
		echo "$file links to $link, a heading that is not there"
		status=1
	fi
done < <(find . -name '*.md' -not -path './demo-output/*' | sort | while read -r file; do
	tr '\n' ' ' < "$file" | grep -oE '\]\([^)]*\)' | sed "s|^](|${file#./}:|; s|)\$||" | grep -vE ':(https?|mailto):'
done)

exit "${status:-0}"
