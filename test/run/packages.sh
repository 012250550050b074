#!/bin/bash
#
# packages.sh build|check|demo|ci
#	  Installs through apt what is missing to build, check or show hashidx, and
#	  says what and why. Does nothing, silently, when nothing is missing.
#
# What counts is whether the thing itself is there, not the package: on a
# machine without apt everything may have come another way. Installing a
# PostgreSQL server this way creates no database cluster.

set -u
export LC_ALL=C

PG_CONFIG=${PG_CONFIG:-pg_config}
purpose=${1:?build, check, demo or ci}
sudo=
quiet_cluster=/etc/postgresql-common/createcluster.d/hashidx.conf

fail()
{
	printf '%s\n' "$*" >&2
	exit 1
}

# need PACKAGE REASON TEST...: notes the package unless the test succeeds.
need()
{
	local package=$1 reason=$2

	shift 2
	"$@" >/dev/null 2>&1 && return
	missing+=("$package")
	reasons+=("$reason")
}

apt()
{
	local log
	log=$(mktemp) || exit 1

	echo "running: ${sudo:+$sudo }apt-get $*"
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$log" 2>&1
	local status=$?
	[ $status = 0 ] || tail -n 20 "$log" >&2
	rm -f "$log"
	return $status
}

# The version that apt would install of a package; fails when it knows none.
candidate()
{
	apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '^(none)$'
}

has_compiler()
{
	echo '#include <stdlib.h>' | ${CC:-gcc} -fsyntax-only -x c -
}

has_clang_openmp()
{
	echo '#include <omp.h>' | clang -fopenmp -fsyntax-only -x c -
}

has_headers()
{
	[ -e "$($PG_CONFIG --pgxs)" ]
}

has_server()
{
	has_headers && [ -x "$($PG_CONFIG --bindir)/postgres" ]
}

# The major version of the PostgreSQL that pg_config belongs to, or else of the distribution's own.
server_major()
{
	if $PG_CONFIG --version >/dev/null 2>&1; then
		$PG_CONFIG --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/'
	else
		candidate postgresql | sed 's/[^0-9].*//'
	fi
}

list_needs()
{
	local major=$1

	need gcc "compiles the C code" has_compiler
	need libc6-dev "the C library's headers" has_compiler
	need "postgresql-server-dev-${major:-all}" "PostgreSQL's headers and build rules" has_headers
	[ "$purpose" = build ] && return

	need "postgresql${major:+-$major}" "the server that the private clusters run" has_server
	[ "$purpose" = demo ] &&
		need dataset-fashion-mnist "70,000 small pictures to search in" \
			test -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
	need perl "runs the tests and draws the demo's sheet" perl -MTest::More -MCompress::Zlib -e 1
	[ "$purpose" = demo ] && return

	need libipc-run-perl "PostgreSQL's test library uses it" perl -MIPC::Run -e 1
	need binutils "nm lists the symbols that the module exports" command -v nm
	[ "$purpose" = check ] && return

	need clang "the second compiler to build with" command -v clang
	need libomp-dev "OpenMP for clang" has_clang_openmp
	need debootstrap "makes a root with a newer Debian and PostgreSQL" command -v debootstrap
}

# Fills missing[] and reasons[].
find_missing()
{
	missing=()
	reasons=()
	list_needs "$(server_major)"
}

say_missing()
{
	local i

	for i in "${!missing[@]}"; do
		printf 'missing: %-26s %s\n' "${missing[$i]}" "${reasons[$i]}"
	done
}

# True when apt knows all that is missing; without any lists it does not even know the version.
apt_knows()
{
	local package

	for package in "${missing[@]}"; do
		[ -n "$(candidate "$package")" ] || return 1
	done
}

# Nothing that is installed now starts a server or makes a cluster of its own.
forbid_cluster()
{
	$sudo mkdir -p "${quiet_cluster%/*}"
	echo 'create_main_cluster = false' | $sudo tee "$quiet_cluster" >/dev/null
	trap '$sudo rm -f "$quiet_cluster"' EXIT
	trap 'exit 130' INT TERM HUP
}

case $PG_CONFIG in
	*/*) [ -x "$PG_CONFIG" ] || fail "PG_CONFIG=$PG_CONFIG: there is no such program" ;;
esac

find_missing
[ ${#missing[@]} = 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
	say_missing
	fail "Without apt this cannot be installed from here: please install it and try again."
fi
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	if ! sudo true 2>/dev/null; then
		say_missing
		fail "Please run this as root: apt-get install ${missing[*]}"
	fi
fi

apt_knows || apt update || fail "apt-get update failed"
find_missing
say_missing
forbid_cluster
apt install -y --no-install-recommends "${missing[@]}" ||
	{ apt update && apt install -y --no-install-recommends "${missing[@]}"; } ||
	fail "apt-get could not install what is missing"

find_missing
[ ${#missing[@]} = 0 ] || { say_missing; fail "still missing after the installation"; }
