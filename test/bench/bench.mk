# bench.mk
#     make bench: measures hashidx and what it is compared with, and writes
#     docs/benchmarks. See docs/benchmarks.md for the options.

BENCH_REVISION = $(shell cd $(srcdir) && git describe --always --dirty 2>/dev/null)
BENCH_OPTIONS = $(foreach o,DATASETS ROWS QUERIES RUNS SECONDS SIMD PGVECTOR OUTPUT, \
	$(if $($(o)),--$(shell echo $(o) | tr A-Z a-z) '$($(o))'))

.PHONY: bench
bench: all $(if $(DATASETS),,bench-packages bench-plans bench-ranges)
	+perl $(srcdir)/test/bench/bench.pl --pg_config '$(PG_CONFIG)' --make '$(MAKE)' \
		--cc '$(CC)' --cxx '$(or $(CXX),c++)' \
		--revision '$(or $(REVISION),$(BENCH_REVISION),unknown)' \
		$(BENCH_OPTIONS)

.PHONY: bench-encoders
bench-encoders: all
	+perl $(srcdir)/test/bench/encoders.pl --pg_config '$(PG_CONFIG)' --make '$(MAKE)' \
		--revision '$(or $(REVISION),$(BENCH_REVISION),unknown)' \
		$(if $(QUERIES),--queries '$(QUERIES)') $(if $(KINDS),--kinds '$(KINDS)') \
		$(if $(OUTPUT),--output '$(OUTPUT)')

.PHONY: bench-packages
bench-packages: all
	+perl $(srcdir)/test/bench/packages.pl --pg_config '$(PG_CONFIG)' --make '$(MAKE)' \
		--revision '$(or $(REVISION),$(BENCH_REVISION),unknown)' \
		$(if $(OUTPUT),--output '$(OUTPUT)')

.PHONY: bench-plans
bench-plans: all
	+perl $(srcdir)/test/bench/plans.pl --pg_config '$(PG_CONFIG)' --make '$(MAKE)' \
		--revision '$(or $(REVISION),$(BENCH_REVISION),unknown)' \
		$(if $(PLAN_TABLES),--tables '$(PLAN_TABLES)') $(if $(PLAN_SEED),--seed '$(PLAN_SEED)') $(if $(RUNS),--runs '$(RUNS)') \
		$(if $(OUTPUT),--output '$(OUTPUT)')

.PHONY: bench-ranges
bench-ranges: all
	+perl $(srcdir)/test/bench/ranges.pl --pg_config '$(PG_CONFIG)' --make '$(MAKE)' --cc '$(CC)' \
		--revision '$(or $(REVISION),$(BENCH_REVISION),unknown)' \
		$(if $(RANGE_ROWS),--rows '$(RANGE_ROWS)') $(if $(PICTURES),--pictures '$(PICTURES)') \
		$(if $(RUNS),--runs '$(RUNS)') $(if $(OUTPUT),--output '$(OUTPUT)')
