-- The settings hashidx.* and hashidx_simd()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- The first call of a function loads the module and with it the settings.
SELECT hashidx_simd() IN ('generic', 'x86-64-v2', 'avx2', 'avx512', 'neon') AS known_level;
SHOW hashidx.simd;

-- A level can be forced, and auto takes the best one back.
SELECT hashidx_simd() AS best \gset
SET hashidx.simd = generic;
SELECT hashidx_simd();
SET hashidx.simd = 'auto';
SELECT hashidx_simd() = :'best' AS best_again;
BEGIN;
SET LOCAL hashidx.simd = generic;
SELECT hashidx_simd();
ROLLBACK;
SELECT hashidx_simd() = :'best' AS rolled_back;

-- What the machine lacks is refused, and the detail lists what there is: none has both avx512 and neon.
SELECT bool_or(failure LIKE '22023 | invalid value for parameter "hashidx.simd": "%" | This machine and this build have: auto, generic%')
FROM unnest('{avx512,neon}'::text[]) AS level, LATERAL pg_temp.fails(format('SET hashidx.simd = %L', level)) AS failure;
RESET hashidx.simd;
SELECT pg_temp.fails('SET hashidx.simd = sse9');
SHOW hashidx.simd;

-- Every level that this machine has gives the same results.
DO
$$
DECLARE
	level text;
	code bincode := repeat('1101001', 200);
	other bincode := repeat('10110', 280);
	refused integer := 0;
BEGIN
	FOREACH level IN ARRAY '{generic,x86-64-v2,avx2,avx512,neon}'::text[]
	LOOP
		BEGIN
			PERFORM set_config('hashidx.simd', level, true);
		EXCEPTION WHEN invalid_parameter_value THEN
			refused := refused + 1;
			CONTINUE;
		END;
		IF hashidx_simd() <> level THEN
			RAISE EXCEPTION 'asked for %, got %', level, hashidx_simd();
		END IF;
		IF code <~> other <> 680 OR bit_count(code) <> 800 OR bit_count(code & other) <> 480 THEN
			RAISE EXCEPTION 'level % counts otherwise: % % %', level,
				code <~> other, bit_count(code), bit_count(code & other);
		END IF;
	END LOOP;
	RAISE NOTICE 'some level refused: %', refused > 0;
END
$$;

SHOW hashidx.build_threads;
SET hashidx.build_threads = 64;
SHOW hashidx.build_threads;
RESET hashidx.build_threads;
SELECT pg_temp.fails('SET hashidx.build_threads = -1');
SELECT pg_temp.fails('SET hashidx.build_threads = 65');

-- The prefix is ours.
SELECT pg_temp.fails('SET hashidx.no_such_setting = 1');
