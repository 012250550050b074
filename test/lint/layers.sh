#!/bin/bash
#
# layers.sh
#	  Includes point downward only: kernel <- math <- quant <- hash <- graph <-
#	  type <- encode <- am/common <- am/<method> <- plan. The layers up to graph are
#	  pure C: they see nothing of the server. One file knows OpenMP.

cd "$(dirname "$0")/../.." || exit 1

grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+["<]' src --include='*.[ch]' | awk '
	BEGIN {
		count = split("kernel math quant hash graph type encode am/common", order, " ")
		for (i = 1; i <= count; i++)
			rank[order[i]] = i
		last_pure = rank["graph"]
		system_headers = "arm_neon.h cpuid.h float.h immintrin.h limits.h math.h omp.h " \
			"signal.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h time.h"
		method = count + 1
		rank["plan"] = count + 2
	}

	# The folder of a path below src: "type", "am/hnsw", "" for the top.
	function folder(path)
	{
		if (path ~ /^am\/[^\/]+\//)
			return substr(path, 1, 3 + index(substr(path, 4), "/") - 1)
		if (path ~ /\//)
			return substr(path, 1, index(path, "/") - 1)
		return ""
	}

	function rank_of(name)
	{
		return (name in rank) ? rank[name] : (name ~ /^am\//) ? method : 0
	}

	function complain(why)
	{
		print file ":" line ": includes \"" header "\": " why
		bad = 1
	}

	{
		split($0, field, ":")
		file = field[1]
		line = field[2]
		quoted = ($0 ~ /"/)
		header = $0
		sub(/^[^"<]*["<]/, "", header)
		sub(/[">].*$/, "", header)

		from = folder(substr(file, 5))
		to = folder(header)
		if (from != "" && !rank_of(from))
			complain("the folder " from " has no place in the order of layers")
		pure = (from != "" && rank_of(from) <= last_pure)
		if (pure && quoted && !rank_of(to))
			complain("pure C layers see neither the server nor the top of src")
		if (pure && !quoted && index(" " system_headers " ", " " header " ") == 0)
			complain("pure C layers see headers of C and of the CPU alone")
		if (!quoted || !rank_of(to))
			next
		if (from == "" && file !~ /\/hashidx\.c$/ && file !~ /\/guc\.c$/)
			complain("only hashidx.c and guc.c at the top of src may look into folders")
		else if (from != "" && from != to && rank_of(to) >= rank_of(from))
			complain(from " lies below or beside " to)
	}

	END { exit bad }' || status=1

if grep -rnE '\bomp_|<omp\.h>|#pragma omp|_OPENMP' src --include='*.[ch]' | grep -v '^src/math/team\.c:'; then
	echo "only src/math/team.c may know OpenMP"
	status=1
fi

exit "${status:-0}"
