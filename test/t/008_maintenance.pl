# What happens to tables and their indexes in the life of a database: commands
# that rewrite, move, empty, split or drop them, transactions that fail, and
# the limits that are refused.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('maintenance', conf => 'allow_in_place_tablespaces = on');

# The index of a table is sound and answers like a sequential scan.
sub sound
{
	my ($name, $table, $index, %options) = @_;
	my $key = $options{key} // 'code';
	my $query = "SELECT id, $key <~> test_code(64, 2) AS d FROM $table WHERE $key IS NOT NULL ORDER BY $key <~> test_code(64, 2)";

	is(check_index($node, $index), '', "$name: $index is sound");
	is(differences($node, ['Index Scan'], ["$query {tie}"]), '', "$name: the right rows in order") unless $options{unordered};
	is( differences($node, [ 'Index Scan', 'Bitmap Heap Scan' ], ["SELECT id FROM $table WHERE hamming_within($key, test_code(64, 1), 21)"]),
		'', "$name: the right rows in a range");
	return;
}

sub rows_in
{
	my ($index) = @_;

	return $node->safe_psql('postgres', "SELECT hashidx_index_stats('$index') -> 'rows'");
}

sub fresh
{
	my ($kind, $type) = @_;

	$node->safe_psql('postgres', sprintf(q{
		DROP TABLE IF EXISTS item;
		CREATE %s TABLE item (id int, code %s, note text);
		INSERT INTO item SELECT i, CASE WHEN i %% 9 > 0 THEN test_near_code(64, i %% 5, i) END, 'note ' || i FROM generate_series(1, 1500) AS i;
		CREATE INDEX item_code ON item USING hashidx_hamming (code) INCLUDE (id);}, $kind // '', $type // 'bincode(64)'));
	return;
}

# An empty table, and the first row of all.
$node->safe_psql('postgres', q{
	CREATE TABLE empty (id int, code bincode);
	CREATE INDEX empty_code ON empty USING hashidx_hamming (code);
	CREATE INDEX empty_more ON empty USING hashidx_hamming (code) INCLUDE (id);});
is( $node->safe_psql('postgres', q{SET enable_seqscan = off;
		SELECT id FROM empty ORDER BY code <~> '1'; SELECT id FROM empty WHERE hamming_within(code, '10', 1)}),
	'', 'an empty index has no rows, of whatever length');
$node->safe_psql('postgres', q{
	VACUUM empty;
	INSERT INTO empty VALUES (1, NULL);
	VACUUM empty;
	REINDEX TABLE empty;
	DELETE FROM empty;
	VACUUM empty;});
$node->safe_psql('postgres', 'INSERT INTO empty SELECT i, test_code(64, i) FROM generate_series(1, 300) AS i');
sound('empty, then filled', 'empty', $_) foreach qw(empty_code empty_more);

# Lengths that do not fit.
is((sql_state($node, q{INSERT INTO empty VALUES (1, '101')}))[0], '22000', 'a code of another length is refused');
is((sql_state($node, q{SET enable_seqscan = off; SELECT id FROM empty ORDER BY code <~> '101'}))[0], '22000', 'so is a query');
is((sql_state($node, q{SET enable_seqscan = off; SELECT id FROM empty WHERE hamming_within(code, '101', 3)}))[0], '22000', 'and a range');
is((sql_state($node, q{INSERT INTO item VALUES (1)}))[0], '42P01', 'no such table yet');

fresh();
my ($state, $message) = sql_state($node, q{INSERT INTO item VALUES (1, repeat('1', 65)::bincode)});
is($state, '22026', 'the column refuses a code of another length');

# Too long for a page: 65,168 bits fit, without INCLUDE columns.
$node->safe_psql('postgres', q{
	CREATE TABLE long (id int, code bincode);
	CREATE INDEX long_code ON long USING hashidx_hamming (code);
	INSERT INTO long SELECT i, test_code(65168, i) FROM generate_series(1, 5) AS i;});
is(check_index($node, 'long_code'), '', 'the longest codes');
is(differences($node, ['Index Scan'], ['SELECT id FROM long ORDER BY code <~> test_code(65168, 3) {tie}']), '', 'the longest codes: right answers');

foreach my $case (
	[ q{CREATE INDEX ON long USING hashidx_hamming (code) INCLUDE (id)}, '54000', 'built with INCLUDE' ],
	[ q{CREATE TABLE longer (code bincode(65169)); CREATE INDEX ON longer USING hashidx_hamming (code)}, '54000', 'declared' ],
	[ q{CREATE TABLE longest (code bincode);
		CREATE INDEX longest_code ON longest USING hashidx_hamming (code);
		INSERT INTO longest VALUES (test_code(65536, 1))}, '54000', 'inserted' ],
	[ q{INSERT INTO longest VALUES (test_code(64, 1))}, '00000', 'the refused code has not decided the length' ],
	[ q{CREATE TABLE wide (code bincode(64), t text);
		ALTER TABLE wide ALTER t SET STORAGE EXTERNAL;
		CREATE INDEX ON wide USING hashidx_hamming (code) INCLUDE (t);
		INSERT INTO wide VALUES (test_code(64, 1), repeat('x', 9000))}, '54000', 'INCLUDE values of 9,000 bytes' ],
	[ q{INSERT INTO wide VALUES (test_code(64, 1), repeat('x', 8000))}, '00000', 'INCLUDE values of 8,000 bytes' ],
	[ q{CREATE INDEX ON item USING hashidx_hamming (code, code)}, '0A000', 'two columns' ],
	[ q{CREATE UNIQUE INDEX ON item USING hashidx_hamming (code)}, '0A000', 'a unique index' ],
	[ q{CREATE INDEX ON item USING hashidx_hamming (code DESC)}, '0A000', 'a direction' ],
	[ q{CREATE INDEX ON item USING hashidx_hamming (note)}, '42704', 'another type' ],
	[ q{CREATE INDEX ON item USING hashidx_hamming (code) WITH (fillfactor = 50)}, '22023', 'an unknown option' ],
	[ q{CLUSTER item USING item_code}, '0A000', 'CLUSTER by it' ],
	[ q{SELECT hashidx_check('item')}, '42809', 'hashidx_check of a table' ],
	[ q{SELECT hashidx_check('pg_class_oid_index')}, '42809', 'hashidx_check of another index' ])
{
	is(scalar((sql_state($node, $case->[0]))[0]), $case->[1], $case->[2]);
}

# Commands on the table.
my @commands = (
	[ 'VACUUM FULL', 'VACUUM FULL item' ],
	[ 'REINDEX', 'REINDEX INDEX item_code' ],
	[ 'REINDEX CONCURRENTLY', 'REINDEX INDEX CONCURRENTLY item_code' ],
	[ 'CLUSTER', 'CREATE INDEX item_id ON item (id DESC); CLUSTER item USING item_id' ],
	[ 'another type of a column', 'ALTER TABLE item ALTER COLUMN note TYPE bytea USING note::bytea' ],
	[ 'another type of the code', 'ALTER TABLE item ALTER COLUMN code TYPE bincode(64) USING ~code' ],
	[ 'no length', 'ALTER TABLE item ALTER COLUMN code TYPE bincode' ],
	[ 'a length again', 'ALTER TABLE item ALTER COLUMN code TYPE bincode(64)' ],
	[ 'a column less', 'ALTER TABLE item DROP COLUMN note' ],
	[ 'a column more', q{ALTER TABLE item ADD COLUMN more text DEFAULT 'more'} ],
	[ 'UNLOGGED', 'ALTER TABLE item SET UNLOGGED' ],
	[ 'LOGGED', 'ALTER TABLE item SET LOGGED' ],
	[ 'a tablespace', q{CREATE TABLESPACE elsewhere LOCATION ''} ],
	[ 'index moved', 'ALTER INDEX item_code SET TABLESPACE elsewhere' ],
	[ 'table moved', 'ALTER TABLE item SET TABLESPACE elsewhere' ],
	[ 'index moved back', 'ALTER INDEX item_code SET TABLESPACE pg_default' ],
	[ 'renamed there and back', 'ALTER INDEX item_code RENAME TO x; ALTER INDEX x RENAME TO item_code' ],
	[ 'another schema and back', 'CREATE SCHEMA s; ALTER TABLE item SET SCHEMA s; ALTER TABLE s.item SET SCHEMA public' ],
	[ 'VACUUM FREEZE', 'DELETE FROM item WHERE id % 4 = 0; VACUUM FREEZE item' ],
	[ 'VACUUM without indexes', 'DELETE FROM item WHERE id % 5 = 0; VACUUM (INDEX_CLEANUP off) item' ],
	[ 'VACUUM in parallel', q{
		SET min_parallel_index_scan_size = 0;
		CREATE INDEX more ON item (id);
		DELETE FROM item WHERE id % 7 = 0;
		VACUUM (PARALLEL 2) item} ],
	[ 'TRUNCATE', 'TRUNCATE item' ],
	[ 'filled again', 'INSERT INTO item SELECT i, test_near_code(64, i % 5, i) FROM generate_series(1, 500) AS i' ],
	[ 'TRUNCATE rolled back', 'BEGIN; TRUNCATE item; INSERT INTO item VALUES (1, test_code(64, 1)); ROLLBACK' ],
	[ 'TRUNCATE and rows in one transaction', q{
		BEGIN;
		INSERT INTO item SELECT 1, test_code(64, 3);
		TRUNCATE item;
		INSERT INTO item SELECT i, test_near_code(64, i % 5, i) FROM generate_series(1, 700) AS i;
		COMMIT} ],
	[ 'TRUNCATE twice in the transaction that creates', q{
		BEGIN;
		DROP TABLE item;
		CREATE TABLE item (id int, code bincode, more text);
		CREATE INDEX item_code ON item USING hashidx_hamming (code) INCLUDE (id);
		INSERT INTO item VALUES (1, test_code(8, 1));
		TRUNCATE item;
		INSERT INTO item VALUES (1, test_code(16, 1));
		TRUNCATE item;
		INSERT INTO item SELECT i, test_near_code(64, i % 5, i) FROM generate_series(1, 700) AS i;
		COMMIT} ]);

foreach my $command (@commands)
{
	my ($name, $statements) = @$command;
	my ($status, $out, $err) = $node->psql('postgres', $statements);

	is($err, '', "$name: no complaint");
	sound($name, 'item', 'item_code');
}

# Many columns of INCLUDE, of types that are aligned and stored in every way, and what the scan returns of them.
$node->safe_psql('postgres', q{
	CREATE DOMAIN hash AS bincode(64);
	CREATE TABLE kinds (id int, code hash, c "char", s smallint, b bigint, d double precision, n name, u uuid,
		t timestamptz, v varchar(9), f boolean, j jsonb, r int4range, p point, a text[], i inet, o bincode);
	INSERT INTO kinds SELECT i, test_code(64, i % 90), 'x', i, i, i / 3.0, 'name' || i, md5(i::text)::uuid,
		'2025-01-01'::timestamptz + i * interval '1 hour', i, i % 2 = 0, jsonb_build_object('k', i), int4range(i, i + 2),
		point(i, -i), ARRAY['a', NULL, i::text], '10.0.0.1'::inet + i, test_code(9, i) FROM generate_series(1, 400) AS i;
	UPDATE kinds SET c = NULL, b = NULL, n = NULL, v = NULL, j = NULL, a = NULL, o = NULL WHERE id % 3 = 0;
	VACUUM FULL kinds;
	CREATE INDEX kinds_code ON kinds USING hashidx_hamming (code) INCLUDE (c, s, b, d, n, u, t, v, f, j, r, p, a, i, o, id);
	INSERT INTO kinds SELECT * FROM kinds;
	VACUUM kinds;});
is( differences($node, [ 'Index Only Scan', 'Index Scan' ], [
			'SELECT code, c, s, b, d, n, u, t, v, f, j, r, p, a, i, o, id FROM kinds ORDER BY code <~> test_code(64, 2) {tie}']),
	'', 'INCLUDE columns of many types');
is(check_index($node, 'kinds_code'), '', 'INCLUDE columns of many types: sound');

# Codes and values that are kept out of line in the table.
$node->safe_psql('postgres', q{
	CREATE TABLE toasted (id int, code bincode(24000), t text, more int DEFAULT 0);
	ALTER TABLE toasted ALTER t SET STORAGE EXTERNAL;
	CREATE INDEX toasted_code ON toasted USING hashidx_hamming (code) INCLUDE (t);
	INSERT INTO toasted SELECT i, test_code(24000, i), repeat('long ', 600) FROM generate_series(1, 30) AS i;
	UPDATE toasted SET t = t || id WHERE id % 2 = 0;
	INSERT INTO toasted SELECT id + 100, code, t FROM toasted WHERE id < 10;
	VACUUM toasted;});
is(differences($node, ['Index Only Scan'], ['SELECT code, t FROM toasted ORDER BY code <~> test_code(24000, 3) {tie}']), '', 'values out of line');
is(check_index($node, 'toasted_code'), '', 'values out of line: sound');

# Subtransactions, and a code that came in one that was rolled back.
fresh();
$node->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO item SELECT i, test_code(64, i) FROM generate_series(2001, 2100) AS i;
	SAVEPOINT s;
	INSERT INTO item SELECT i, test_code(64, i) FROM generate_series(2101, 2200) AS i;
	UPDATE item SET code = test_code(64, 1) WHERE id % 10 = 0;
	ROLLBACK TO s;
	INSERT INTO item SELECT i, test_code(64, i) FROM generate_series(2201, 2300) AS i;
	DO $$ BEGIN DELETE FROM item; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN END $$;
	COMMIT;});
sound('subtransactions', 'item', 'item_code');
$node->safe_psql('postgres', 'VACUUM item');
is(rows_in('item_code'), $node->safe_psql('postgres', 'SELECT count(code) FROM item'), 'as many rows in the index as codes in the table');

# HOT updates: the index knows the root of a chain only.
fresh();
$node->safe_psql('postgres', q{
	ALTER TABLE item SET (fillfactor = 30);
	VACUUM FULL item;
	UPDATE item SET note = 'hot ' || id WHERE id % 2 = 0;
	UPDATE item SET note = 'hotter ' || id WHERE id % 4 = 0;
	SELECT pg_stat_force_next_flush() IS NULL;});
cmp_ok($node->safe_psql('postgres', q{SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'item'}), '>', 300, 'there are HOT updates');
sound('HOT updates', 'item', 'item_code', unordered => 1);
$node->safe_psql('postgres', 'DROP INDEX item_code; CREATE INDEX item_code ON item USING hashidx_hamming (code) INCLUDE (id)');
sound('built on HOT chains', 'item', 'item_code', unordered => 1);
$node->safe_psql('postgres', 'VACUUM item');
sound('HOT chains pruned', 'item', 'item_code', unordered => 1);

# COPY, in both forms.
my $file = $node->basedir . '/copy';
$node->safe_psql('postgres', qq{
	COPY (SELECT id, code, note FROM item) TO '$file';
	TRUNCATE item;
	COPY item FROM '$file';
	COPY (SELECT id, code, note FROM item) TO '$file' (FORMAT binary);
	COPY item FROM '$file' (FORMAT binary);
	BEGIN; TRUNCATE item; COPY item FROM '$file' (FORMAT binary, FREEZE); COMMIT;
	COPY item FROM '$file' (FORMAT binary);});
sound('COPY', 'item', 'item_code');

# Partial indexes, expressions, and several indexes on one column.
$node->safe_psql('postgres', q{
	CREATE INDEX item_part ON item USING hashidx_hamming (code) WHERE id < 300;
	CREATE INDEX item_expr ON item USING hashidx_hamming ((~code));
	UPDATE item SET id = 701 - id WHERE id < 701;});
$node->safe_psql('postgres', 'DROP INDEX item_code');
is( differences($node, ['Index Scan using item_part'],
		['SELECT id FROM item WHERE id < 300 AND code IS NOT NULL ORDER BY code <~> test_code(64, 2) {tie}']),
	'', 'partial: the right rows');
sound('expression', 'item', 'item_expr', key => '(~code)');
$node->safe_psql('postgres', 'VACUUM item');
is(check_index($node, $_), '', "$_ is sound after vacuum") foreach qw(item_part item_expr);

# Partitions.
$node->safe_psql('postgres', q{
	CREATE TABLE part (id int, code bincode(64)) PARTITION BY RANGE (id);
	CREATE TABLE part_a PARTITION OF part FOR VALUES FROM (0) TO (500);
	CREATE INDEX part_code ON part USING hashidx_hamming (code);
	CREATE TABLE part_b PARTITION OF part FOR VALUES FROM (500) TO (900);
	CREATE TABLE part_c (id int, code bincode(64));
	INSERT INTO part_c SELECT i, test_code(64, i) FROM generate_series(900, 999) AS i;
	ALTER TABLE part ATTACH PARTITION part_c FOR VALUES FROM (900) TO (1000);
	INSERT INTO part SELECT i, test_near_code(64, i % 5, i) FROM generate_series(1, 899) AS i;
	UPDATE part SET id = id + 300 WHERE id < 300;});
is( $node->safe_psql('postgres', q{SET enable_seqscan = off; SET enable_sort = off;
		SELECT array_agg(d) = (SELECT array_agg(code <~> test_code(64, 2) ORDER BY code <~> test_code(64, 2)) FROM part)
		FROM (SELECT code <~> test_code(64, 2) AS d FROM part ORDER BY 1) AS p}),
	't', 'partitions: merged in order');
is((sql_state($node, q{SELECT hashidx_check('part_code')}))[0], '42809', 'hashidx_check of a partitioned index is refused');
is( $node->safe_psql('postgres', q{
		SELECT count(hashidx_check(i.inhrelid, true)::text) FROM pg_inherits AS i WHERE inhparent = 'part_code'::regclass}),
	3, 'partitions: sound');

# Temporary tables, whose pages are in local buffers.
is( $node->safe_psql('postgres', q{
	SET client_min_messages = warning; SET enable_seqscan = off;
	CREATE TEMP TABLE passing (id int, code bincode(64)) ON COMMIT DELETE ROWS;
	CREATE INDEX passing_code ON passing USING hashidx_hamming (code) INCLUDE (id);
	BEGIN;
	INSERT INTO passing SELECT i, test_code(64, i) FROM generate_series(1, 2000) AS i;
	SELECT id FROM passing ORDER BY code <~> test_code(64, 77) LIMIT 1;
	COMMIT;
	SELECT id FROM passing ORDER BY code <~> test_code(64, 77) LIMIT 1;
	BEGIN;
	INSERT INTO passing SELECT i, test_code(64, i) FROM generate_series(78, 79) AS i;
	SELECT id FROM passing ORDER BY code <~> test_code(64, 78) LIMIT 1;
	COMMIT;
	CREATE TEMP TABLE kept (id int, code bincode);
	CREATE INDEX kept_code ON kept USING hashidx_hamming (code);
	INSERT INTO kept SELECT i, test_code(64, i) FROM generate_series(1, 2000) AS i;
	DELETE FROM kept WHERE id > 1000;
	VACUUM kept;
	SELECT count(*) FROM (SELECT id FROM kept ORDER BY code <~> test_code(64, 78)) AS k;
	SELECT hashidx_check('kept_code', true);}),
	"77\n78\n1000\n", 'temporary tables');

# An invalid index that CREATE INDEX CONCURRENTLY has left.
($state, $message) = sql_state($node, q{
	CREATE INDEX CONCURRENTLY invalid ON empty USING hashidx_hamming ((CASE WHEN id = 150 THEN '1'::bincode ELSE code END))});
is($state, '22000', 'CREATE INDEX CONCURRENTLY fails');
is((sql_state($node, q{SELECT hashidx_check('invalid')}))[0], '0A000', 'an invalid index is not checked');
$node->safe_psql('postgres', 'VACUUM empty; UPDATE empty SET code = ~code; DELETE FROM empty WHERE id = 150');
sound('beside an invalid index', 'empty', 'empty_code');
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY invalid');
is(check_index($node, 'invalid'), '', 'and can be repaired');

# What a build tells of itself.
is( $node->safe_psql('postgres', q{SELECT string_agg(phase, ', ' ORDER BY n) FROM generate_series(1, 6) AS n,
		pg_indexam_progress_phasename((SELECT oid FROM pg_am WHERE amname = 'hashidx_hamming'), n) AS phase}),
	'initializing, reading codes, grouping equal codes, writing pages, building chunk tables, writing WAL', 'phases of a build');

# Rights: reading the table is not enough to check its index.
$node->safe_psql('postgres', 'CREATE ROLE reader; GRANT SELECT ON item TO reader; CREATE ROLE stranger');
is((sql_state($node, q{SET ROLE reader; SELECT hashidx_check('item_expr')}))[0], '42501', 'only the owner checks');
is((sql_state($node, q{SET ROLE reader; SELECT hashidx_index_stats('item_expr')}))[0], '00000', 'a reader sees statistics');
is((sql_state($node, q{SET ROLE stranger; SELECT hashidx_index_stats('item_expr')}))[0], '42501', 'a stranger does not');

# Autovacuum.
fresh();
$node->safe_psql('postgres', 'DELETE FROM item WHERE id > 1000');
$node->append_conf('postgresql.conf', "autovacuum = on\nautovacuum_naptime = 1s\nautovacuum_vacuum_threshold = 1");
$node->reload;
$node->poll_query_until('postgres', q{SELECT hashidx_index_stats('item_code') -> 'rows' = '889'::jsonb});
is(rows_in('item_code'), 889, 'autovacuum');
sound('autovacuum', 'item', 'item_code');

# Gone for good.
$node->safe_psql('postgres', 'DROP TABLE item, part, kinds, toasted; DROP EXTENSION hashidx CASCADE');

no_crash($node);
$node->stop;
done_testing();
