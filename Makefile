# Makefile
#	  Builds, installs, checks and shows hashidx.
#
#	make && make install	builds the module and installs it (PGXS)
#	make check				lints and all tests, in a private copy and private clusters
#	make demo				a picture search over 60,000 images, start to end
#	make installcheck		the regression tests on a running server that has hashidx installed
#
#	PG_CONFIG=path			the PostgreSQL installation to build for
#	OPENMP=no				one thread; by default yes when the compiler can
#	with_llvm=no			no bitcode for the server's JIT; by default what the server has
#	TESTS="lint unit ..."	what `make check` runs: lint unit regress isolation tap
#	KEEP=folder				where `make check` leaves the outputs of the tests
#
# What is missing to do this (a compiler, the server's headers) is installed
# through apt by test/run/packages.sh, which says what it does.

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# Scripts do the work of these two: they need nothing of PGXS, and PGXS has a `check` of its own.
SCRIPT_GOALS = check demo

ifneq ($(filter $(SCRIPT_GOALS),$(MAKECMDGOALS)),)

.PHONY: $(MAKECMDGOALS)

check:
	@PG_CONFIG='$(PG_CONFIG)' TESTS='$(TESTS)' KEEP='$(KEEP)' test/run/check.sh

demo:
	@PG_CONFIG='$(PG_CONFIG)' test/demo/demo.sh

$(filter-out $(SCRIPT_GOALS),$(MAKECMDGOALS)):
	@$(MAKE) $@

else ifeq ($(wildcard $(PGXS)),)

# No server headers yet: get them, then read this file again.
.PHONY: packages $(or $(MAKECMDGOALS),all)

$(or $(MAKECMDGOALS),all): packages
	@$(MAKE) $@

packages:
	@PG_CONFIG='$(PG_CONFIG)' test/run/packages.sh build

else

EXTENSION = hashidx
MODULE_big = hashidx

# hashidx.control is the one place that knows the version.
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" hashidx.control)

OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
INCLUDES = $(wildcard src/*.h src/*/*.h src/*/*/*.h)

SQL_PARTS = $(sort $(wildcard sql/parts/*.sql))
DATA = $(sort $(wildcard sql/hashidx--*--*.sql))
DATA_built = sql/hashidx--$(EXTVERSION).sql

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -std=gnu11 -Wno-declaration-after-statement -fvisibility=hidden -ffp-contract=off

# Outputs of test/sql are in expected/ at the top, where pg_regress looks by itself.
REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation
TAP_TESTS = $(if $(wildcard test/t/*.pl),1)
PROVE_TESTS = test/t/*.pl

# A server may have been built with a JIT whose clang is not installed here: build without bitcode.
SERVER_CLANG := $(or $(CLANG),$(shell sed -n 's/^CLANG *= *//p' $(dir $(PGXS))../Makefile.global))
ifeq ($(shell command -v $(or $(SERVER_CLANG),no-clang)),)
override with_llvm = no
endif

include $(PGXS)
-include test/bench/bench.mk

# One file knows OpenMP (src/math/team.c); it alone is compiled with it.
ifndef OPENMP
HASH := \#
OPENMP := $(shell echo '$(HASH)include <omp.h>' | $(CC) -fopenmp -fsyntax-only -x c - 2>/dev/null && echo yes)
endif
ifeq ($(OPENMP),yes)
src/math/team.o: override CFLAGS += -fopenmp
SHLIB_LINK += -fopenmp
endif

# What the module tells PostgreSQL 18 and later of itself.
src/hashidx.o src/hashidx.bc: override CPPFLAGS += -DHX_VERSION='"$(EXTVERSION)"'

# PGXS tracks no headers. There are few files: a change of one header builds all.
$(OBJS) $(OBJS:.o=.bc): $(INCLUDES) Makefile

$(DATA_built): $(SQL_PARTS) hashidx.control
	cat $(SQL_PARTS) > $@

endif
