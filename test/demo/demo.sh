#!/bin/bash
#
# demo.sh
#	  What `make demo` runs: a search by likeness over 60,000 pictures, from an
#	  empty server to a measured answer.
#
# The SQL is in the .sql files beside this one, in the order of their numbers,
# ready to be copied from. Server, build and data live in a temporary directory
# that is removed at the end; what stays is the contact sheet.

cd "$(dirname "$0")/../.." || exit 1
checkout=$PWD
. test/run/lib.sh

data=/usr/share/datasets/fashion-mnist
began=$SECONDS

# step TEXT: a heading with the seconds since the start.
step()
{
	printf '\n\033[1m[%3d s] %s\033[0m\n\n' $((SECONDS - began)) "$*"
}

[ -t 1 ] || step()
{
	printf '\n[%3d s] %s\n\n' $((SECONDS - began)) "$*"
}

psql_demo()
{
	run psql -X -q -v ON_ERROR_STOP=1 -h "$scratch" -d demo "$@"
}

# Shows one of the SQL files, then what comes of it.
show_sql()
{
	sed '/./s/^/    /' "test/demo/$1"
	echo
	psql_demo -P pager=off -P footer=off -f "test/demo/$1" || give_up
}

give_up()
{
	tail -n 20 "$scratch"/{initdb,server}.log >&2
	fail "the demo failed"
}

start_cluster()
{
	run initdb -D "$scratch/data" -A trust -U "$user" --no-locale -E UTF8 -N >"$scratch/initdb.log" 2>&1 &&
		cat test/run/cluster.conf >>"$scratch/data/postgresql.conf" &&
		run pg_ctl -D "$scratch/data" -l "$scratch/server.log" -w -s \
			-o "-c listen_addresses='' -c unix_socket_directories='$scratch'" start &&
		run createdb -h "$scratch" demo || give_up
}

# The sheet goes into the checkout, or where that cannot be written, under /tmp.
choose_output()
{
	output=$checkout/demo-output
	mkdir -p "$output" 2>/dev/null && [ -w "$output" ] || output=$(mktemp -d /tmp/hashidx-demo-output.XXXXXX)
}

cat <<'END'
hashidx demo: find pictures that look alike, in plain SQL

60,000 pictures of clothes (Fashion-MNIST, 28 x 28 grey pixels) go into a table; each gets a code
of 256 bits; an index on the codes finds what is near to pictures it has never seen.
END

step "Preparing: packages, a build, a private server"
test/run/packages.sh demo || exit 1
scratch_begin demo
find_installation
copy_sources
copy_installation
build_private "$scratch/build.log" || { tail -n 20 "$scratch/build.log" >&2; fail "hashidx did not build"; }
start_cluster
echo "$($PG_CONFIG --version) with hashidx runs in $scratch, apart from any other server."

step "Loading the pictures as vectors of 784 numbers"
show_sql 1_load.sql

step "Encoding: 256 bits for each picture"
show_sql 2_encode.sql

step "Indexing the codes"
show_sql 3_index.sql

step "Searching"
show_sql 4_search.sql

step "Looking at the plan"
show_sql 5_plan.sql

step "Measuring recall and time"
psql_demo -f test/demo/measure.sql || give_up
show_sql 6_measure.sql

step "Drawing the contact sheet"
choose_output
psql_demo -At -F ' ' -f test/demo/sheet.sql >"$scratch/sheet.txt" || give_up
perl test/demo/contact_sheet.pl "$data" "$scratch/sheet.txt" "$output" || fail "no sheet was drawn"
echo "Each row: a query, framed, and its ten nearest; a name in orange is of another kind."
echo "  $output/sheet.png"
echo "  $output/index.html"

step "Done; the server and its data are removed"
