# lib.sh
#	  Shell functions shared by check.sh, the demo and .ci/run: a temporary
#	  directory that always goes away, an unprivileged user, and a private copy
#	  of the PostgreSQL installation with hashidx in it.
#
# To be sourced by bash, with the top of the checkout as current directory.
# Nothing here changes an installation or a cluster that exists.

set -u
export LC_ALL=C
unset CDPATH

# Make's own flags reach the makes below (CC=clang, OPENMP=no), its job server does not.
MAKEFLAGS=$(printf '%s' "${MAKEFLAGS-}" | sed 's/ *--jobserver[^ ]*//; s/ *-j[0-9]*//')
export MAKEFLAGS
unset MAKELEVEL MFLAGS

PG_CONFIG=${PG_CONFIG:-pg_config}
job=

heading()
{
	printf '\n== %s\n' "$*"
}

# fail MESSAGE: says why and ends.
fail()
{
	printf '%s\n' "$*" >&2
	exit 1
}

# scratch_begin NAME: makes $scratch, owned by the user the servers run as, and promises its removal.
scratch_begin()
{
	scratch=$(mktemp -d "/tmp/hashidx-$1.XXXXXX") || exit 1
	trap scratch_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	choose_user
	mkdir "$scratch/tmp"
	export TMPDIR=$scratch/tmp HOME=$scratch/tmp
	chown -R "$user" "$scratch"
}

scratch_end()
{
	local status=$? pidfile

	trap '' INT TERM HUP
	[ -n "$job" ] && kill -TERM -- "-$job" 2>/dev/null
	for pidfile in $(find "$scratch" -name postmaster.pid 2>/dev/null); do
		kill -QUIT "$(head -n 1 "$pidfile")" 2>/dev/null
	done
	wait

	# A server that was just told to quit may still be writing: try again for a while.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rm -rf --one-file-system "$scratch" 2>/dev/null && break
		sleep 0.5
	done
	exit "$status"
}

# The servers refuse to run as root; root lends the work to postgres, or else to nobody.
choose_user()
{
	user=$(id -un)
	[ "$(id -u)" = 0 ] || return 0
	for user in postgres nobody; do
		id "$user" >/dev/null 2>&1 && return 0
	done
	fail "root needs an unprivileged user to run the servers: postgres or nobody"
}

as_user()
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- "$@"
	else
		"$@"
	fi
}

# run COMMAND...: as the unprivileged user, in a process group of its own, so that a signal to
# this script is acted on at once and ends all of the command.
run()
{
	local status

	set -m
	as_user "$@" </dev/null &
	job=$!
	set +m
	wait "$job"
	status=$?
	job=
	return $status
}

# Jobs for make: one for each processor.
jobs()
{
	nproc 2>/dev/null || echo 1
}

# Copies the checkout to $scratch/src without what a build leaves behind.
copy_sources()
{
	mkdir "$scratch/src"
	tar cf - --exclude=./.git --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		--exclude='./demo-output' . | tar xf - -C "$scratch/src" --no-same-owner
	chown -R "$user" "$scratch/src"
	cd "$scratch/src" || exit 1
}

# Where the installation of PG_CONFIG is. Its full name, as PATH is going to lead to the copy.
find_installation()
{
	PG_CONFIG=$(command -v "$PG_CONFIG")
	export PG_CONFIG
	bindir=$($PG_CONFIG --bindir)
	pkglibdir=$($PG_CONFIG --pkglibdir)
	sharedir=$($PG_CONFIG --sharedir)
	pgxs=$(dirname "$($PG_CONFIG --pgxs)")/../..
	[ -x "$bindir/postgres" ] || fail "there is no server in $bindir"
}

# Copies the installation to $scratch/pg, keeping its paths: PostgreSQL finds its files relative to
# its programs, so the copy works from there.
copy_installation()
{
	local program

	root=$scratch/pg
	mkdir -p "$root$bindir" "$root$pkglibdir" "$root$sharedir"
	for program in "$bindir"/{postgres,psql,initdb,pgbench,pg_*,*db}; do
		[ -f "$program" ] && cp -L "$program" "$root$bindir/"
	done
	(cd "$pkglibdir" && tar cf - --exclude=./bitcode --exclude=./pgxs --exclude='hashidx*' .) |
		tar xf - -C "$root$pkglibdir" --no-same-owner
	(cd "$sharedir" && tar cf - --exclude=./man --exclude='hashidx*' .) |
		tar xf - -C "$root$sharedir" --no-same-owner
	chown -R "$user" "$root"
	export PATH=$root$bindir:$PATH
}

# build_private LOG: builds the copied sources and installs them into the copied installation.
build_private()
{
	run make -s -j "$(jobs)" PG_CONFIG="$PG_CONFIG" with_llvm=no >"$1" 2>&1 &&
		run make -s install PG_CONFIG="$PG_CONFIG" with_llvm=no DESTDIR="$root" >>"$1" 2>&1
}
