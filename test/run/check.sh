#!/bin/bash
#
# check.sh
#	  What `make check` runs: lints, unit tests, regression, isolation and TAP
#	  tests of this checkout, in that order. TESTS narrows the choice; KEEP names a
#	  folder for the outputs of the tests.
#
# Sources, build, installation and clusters are private copies in a temporary
# directory that is removed at the end, however it ends. The last line is
# "N passed, N failed"; the exit status is 0 when some passed and none failed.

cd "$(dirname "$0")/../.." || exit 1
. test/run/lib.sh

TESTS=${TESTS:-lint unit regress isolation tap}
passed=0
failed=0

# record NAME passed|failed: one test's result.
record()
{
	if [ "$2" = passed ]; then
		passed=$((passed + 1))
		printf '   ok      %s\n' "$1"
	else
		failed=$((failed + 1))
		printf '   FAILED  %s\n' "$1"
	fi
}

# add NAME PASSED FAILED: the results of a program that counts its own tests.
add()
{
	passed=$((passed + $2))
	failed=$((failed + $3))
	if [ "$3" = 0 ]; then
		printf '   ok      %-40s %6d tests\n' "$1" "$2"
	else
		printf '   FAILED  %-40s %6d tests, %d failed\n' "$1" $(($2 + $3)) "$3"
	fi
}

# The end of a log, indented, so that no line of it can be taken for ours.
show()
{
	tail -n "${2:-40}" "$1" | sed 's/^/   | /'
}

run_lint()
{
	local lint

	for lint in test/lint/*.sh; do
		if run "$lint" >"$scratch/lint.log" 2>&1; then
			record "$(basename "$lint" .sh)" passed
		else
			record "$(basename "$lint" .sh)" failed
			show "$scratch/lint.log"
		fi
	done
}

# Each program says "# its name", and at the end "N passed, N failed".
run_unit()
{
	local log=$scratch/unit.log failed_before=$failed status name mark first second

	run make -s -k -j "$(jobs)" -C test/unit check BUILD="$scratch/unit" >"$log" 2>&1
	status=$?
	while read -r mark first second _; do
		case "$mark $first" in
			"# test_"*) name=$first ;;
			[0-9]*" passed,") add "$name" "$mark" "$second" ;;
		esac
	done <"$log"
	if [ $status != 0 ]; then
		[ $failed != "$failed_before" ] || record "unit tests: not built, or ended early" failed
		show "$log"
	fi
}

# Reads pg_regress's output: "test x ... ok" up to version 15, "ok 1 - x" from 16 on.
record_regress()
{
	local log=$1 verdicts=$scratch/verdicts name verdict

	sed -nE \
		-e 's/^(test|    ) +([a-z0-9_-]+) +\.\.\. +ok .*/passed \2/p' \
		-e 's/^(test|    ) +([a-z0-9_-]+) +\.\.\. +FAILED.*/failed \2/p' \
		-e 's/^ok +[0-9]+ +[-+] +([a-z0-9_-]+).*/passed \1/p' \
		-e 's/^not ok +[0-9]+ +[-+] +([a-z0-9_-]+).*/failed \1/p' "$log" >"$verdicts"
	while read -r verdict name; do
		record "$name" "$verdict"
	done <"$verdicts"
	if [ ! -s "$verdicts" ]; then
		record "pg_regress, which ran no test" failed
		show "$log"
	fi
}

# pg_regress_run NAME PROGRAM INPUT OUTPUT TESTS...: tests in a cluster of their own.
pg_regress_run()
{
	local name=$1 program=$2 input=$3 output=$4 log=$scratch/$1.log failed_before=$failed status

	shift 4
	[ $# -gt 0 ] || return
	run "$program" --inputdir="$input" --outputdir="$output" --bindir="$root$bindir" \
		--temp-instance="$scratch/$name" --temp-config=test/run/cluster.conf \
		--no-locale --encoding=UTF8 --dbname=contrib_regression "$@" >"$log" 2>&1
	status=$?
	record_regress "$log"
	[ $status = 0 ] && return

	if [ $failed = "$failed_before" ]; then
		record "$name" failed
		show "$log"
	fi
	[ -s "$output/regression.diffs" ] && show "$output/regression.diffs" 120
	grep -hE -A 5 'PANIC|terminated by signal' "$output/log/postmaster.log" 2>/dev/null | sed 's/^/   | /'
}

# The names of the files that match, without folder and ending.
names()
{
	find "$1" -name "*.$2" 2>/dev/null | sed "s|.*/||; s|\.$2\$||" | sort
}

run_regress()
{
	pg_regress_run regress "$pgxs/src/test/regress/pg_regress" test . $(names test/sql sql)
}

run_isolation()
{
	as_user mkdir -p output_iso
	pg_regress_run isolation "$pgxs/src/test/isolation/pg_isolation_regress" \
		test/isolation output_iso $(names test/isolation/specs spec)
}

run_tap()
{
	local file name log=$scratch/tap.log status ok not_ok

	export PG_REGRESS=$pgxs/src/test/regress/pg_regress PGPORT=65432
	export TESTDIR=$scratch TESTDATADIR=$scratch/tmp_check TESTLOGDIR=$scratch/tmp_check/log
	as_user mkdir -p "$TESTLOGDIR"
	for file in test/t/*.pl; do
		[ -e "$file" ] || continue
		name=$(basename "$file" .pl)
		run prove -v -I "$pgxs/src/test/perl" -I test/t "$file" >"$log" 2>&1
		status=$?
		ok=$(grep -cE '^ok ' "$log")
		not_ok=$(grep -cE '^not ok ' "$log")
		[ $status != 0 ] && [ "$not_ok" = 0 ] && not_ok=1	# it died
		add "$name" "$ok" "$not_ok"
		if [ $status != 0 ]; then
			show "$log"
			show "$TESTLOGDIR/regress_log_$name"
		fi
		rm -rf "$scratch/tmp_check"/*_data
	done
}

# The outputs of the suites, for those who write tests.
keep_outputs()
{
	local output

	mkdir -p "$KEEP"
	for output in results output_iso "$scratch/tmp_check/log"; do
		[ -d "$output" ] && cp -r "$output" "$KEEP/"
	done
}

test/run/packages.sh check || exit 1
case ${KEEP-} in
	/* | '') ;;
	*) KEEP=$PWD/$KEEP ;;
esac
scratch_begin check
find_installation

heading "build: $($PG_CONFIG --version), in $scratch"
copy_sources
copy_installation
if ! build_private "$scratch/build.log"; then
	record build failed
	show "$scratch/build.log"
	TESTS=
fi

for suite in $TESTS; do
	heading "$suite"
	started=$SECONDS
	case $suite in
		lint | unit | regress | isolation | tap) "run_$suite" ;;
		*) fail "TESTS=\"$TESTS\": there is no suite \"$suite\"" ;;
	esac
	echo "   ($((SECONDS - started)) s)"
done

[ -n "${KEEP-}" ] && keep_outputs
printf '\n%d passed, %d failed\n' $passed $failed
[ $failed = 0 ] && [ $passed -gt 0 ]
