# Exactness: whatever the data and the query, an index gives the rows of a
# sequential scan, and an ordered scan gives them in the order (distance, TID).
#
# Data and queries are made from a fixed seed; HX_SEED gives another one.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HX_SEED} // 20250607;
my @ordered = ('Index Scan', 'Index Only Scan');
my @unordered = ('Index Scan', 'Index Only Scan', 'Bitmap Heap Scan');

srand($seed);

my $node = new_cluster('property');
my @levels = available_levels();

note("seed $seed, SIMD levels: @levels");

sub pick
{
	return $_[ int(rand(scalar @_)) ];
}

sub number
{
	return int(rand(shift));
}

sub available_levels
{
	return grep { sql_state($node, "LOAD 'hashidx'; SET hashidx.simd = '$_'") eq '00000' }
	  qw(generic x86-64-v2 avx2 avx512 neon);
}

# A table of some 3,000 rows: random codes, near copies of few codes, heavy duplicates, NULLs.
sub create_table
{
	my ($bits, $type, $include) = @_;
	my $with = $bits > 4096 ? '' : pick('', 'WITH (method = mih)', "WITH (method = mih, chunks = @{[1 + number(32)]})");

	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS item;
		CREATE TABLE item (id int, code $type, n numeric, t text, a int[], b bool, c "char");
		CREATE INDEX item_code ON item USING hashidx_hamming (code) $include $with;});
	insert_rows($bits, 1, 1200);
	$node->safe_psql('postgres', 'REINDEX INDEX item_code');
	insert_rows($bits, 1201, 2000);
	return;
}

# Rows from .. to; half of a kind, as the remainder of their number tells.
sub insert_rows
{
	my ($bits, $from, $to) = @_;

	$node->safe_psql('postgres', qq{
		INSERT INTO item SELECT i,
			CASE WHEN i % 10 < 4 THEN test_code($bits, i + $seed)
				WHEN i % 10 < 7 THEN test_near_code($bits, i % 3, i)
				WHEN i % 10 < 9 THEN test_code($bits, i % 2) END,
			CASE WHEN i % 5 > 0 THEN (i || '.' || repeat('7', i % 30))::numeric END,
			CASE WHEN i % 7 > 0 THEN repeat(md5(i::text), CASE WHEN i % 97 = 0 THEN 60 ELSE i % 4 END) END,
			CASE WHEN i % 3 > 0 THEN ARRAY[i, NULL, -i] END,
			i % 4 = 1, (i % 128)::"char"
		FROM generate_series($from, $to) AS i ORDER BY md5(i::text)});
	return;
}

# A code to ask for: one of the table's, near one, or any.
sub query_code
{
	my ($bits) = @_;

	return sprintf(pick("test_code(%d, %d)", "test_near_code(%1\$d, %2\$d, 12345)", "~test_code(%d, %d)"),
		$bits, pick(0, 1, 2, number(2000) + $seed));
}

sub queries
{
	my ($bits, $columns) = @_;
	my (@ordered_queries, @range_queries);

	# NULL codes are not in the index; a table without NULLs needs no WHERE.
	my $not_null = 'code IS NOT NULL';

	foreach my $limit (pick(1, 10), pick(127, 128, 129), pick(1000, 1100), undef)
	{
		my $code = query_code($bits);
		my $range = pick('', '', "AND hamming_within(code, $code, @{[number($bits + 1)]})",
			"AND hamming_within(@{[query_code($bits)]}, code, @{[number($bits + 1)]})",
			"AND code <@ hamming_ball(@{[query_code($bits)]}, @{[number($bits + 1)]})");

		push @ordered_queries, "SELECT $columns, code <~> $code AS d FROM item WHERE $not_null $range "
		  . "ORDER BY code <~> $code {tie}" . (defined $limit ? " LIMIT $limit" : '');
	}
	push @ordered_queries, "SELECT $columns FROM item WHERE $not_null AND n > 500 ORDER BY code <~> "
	  . query_code($bits) . ' {tie} LIMIT 300 OFFSET 7';

	foreach my $radius (pick(-1, 2147483647), pick(0, 1), number($bits + 1), pick($bits - 1, $bits))
	{
		push @range_queries, "SELECT $columns FROM item WHERE hamming_within(code, @{[query_code($bits)]}, $radius)";
	}
	push @range_queries, "SELECT $columns FROM item WHERE hamming_within(code, @{[query_code($bits)]}, "
	  . "@{[int($bits / 2)]}) AND hamming_within(code, @{[query_code($bits)]}, @{[int($bits / 2)]})"
	  . ' AND b';
	return (\@ordered_queries, \@range_queries);
}

# All queries by all scans, at one SIMD level after the other.
sub compare
{
	my ($name, $bits, $columns, $settings) = @_;
	my ($ordered_queries, $range_queries) = queries($bits, $columns);
	my $level = pick(@levels);

	$settings = "SET hashidx.simd = '$level'; " . ($settings // '');
	is(differences($node, \@ordered, $ordered_queries, $settings), '', "$name: ordered scans, $level");
	is(differences($node, \@unordered, $range_queries, $settings), '', "$name: ranges, $level");
	return;
}

# A life of a table: build, updates, deletes, vacuum, inserts into the freed space. No update is a
# HOT one, for such a row has its root's TID in the index, and ties are compared by ctid here.
sub live
{
	my ($bits, $type) = @_;
	my $columns = ($bits > 500 ? 'bincode_hash_extended(code, 0)' : 'code') . ' AS code, id, n, t, a, b, c';
	my $name = "$bits bits in $type";

	create_table($bits, $type, 'INCLUDE (id, n, t, a, b, c)');
	$node->safe_psql('postgres', 'VACUUM item') if number(2);
	compare("$name, built", $bits, $columns);

	$node->safe_psql('postgres', qq{
		UPDATE item SET t = 'updated' WHERE id % 11 = 0;
		UPDATE item SET code = test_code($bits, 1), b = NOT b WHERE id % 13 = 0;
		DELETE FROM item WHERE id % 3 = @{[number(3)]};});
	compare("$name, changed", $bits, $columns, "SET work_mem = '64kB';");

	$node->safe_psql('postgres', 'VACUUM item');
	insert_rows($bits, 2001, 3000);
	$node->safe_psql('postgres', 'UPDATE item SET id = id + 1 WHERE id % 7 = 0');
	$node->safe_psql('postgres', 'VACUUM item') if number(2);
	compare("$name, vacuumed and filled again", $bits, $columns);
	is(check_index($node, 'item_code'), '', "$name: hashidx_check");
	return;
}

my @bits = (1, 7, 8, 9, 31, 32, 63, 64, 65, 72, 100, 127, 128, 256, 300, 1000, 4096, 8000);

live($_, number(3) ? "bincode($_)" : 'bincode') foreach @bits;

# Without INCLUDE columns rows are shorter; there the scan that returns the code alone is the index-only one.
foreach my $bits (1, 64, 100, 4096)
{
	my @scans = ('Index Only Scan');

	create_table($bits, "bincode($bits)", '');
	$node->safe_psql('postgres', 'DELETE FROM item WHERE id % 2 = 0; VACUUM item');
	insert_rows($bits, 2001, 2500);
	foreach my $level (@levels)
	{
		my $code = query_code($bits);

		is( differences($node, \@scans, [
					"SELECT code FROM item WHERE code IS NOT NULL ORDER BY code <~> $code {tie}",
					"SELECT code, code <~> $code FROM item WHERE hamming_within(code, $code, @{[number($bits)]})"
				], "SET hashidx.simd = '$level';"), '', "$bits bits alone, $level");
	}
	is(check_index($node, 'item_code'), '', "$bits bits alone: hashidx_check");
}

# Ranges and neighbours by chunk tables: in tables so large that small radii are worth it, with
# rows from the build and inserted ones, codes that come often and codes that are near them.
foreach my $case ([ 16, 2 ], [ 32, 0 ], [ 64, 0 ], [ 64, 9 ], [ 100, 7 ], [ 256, 0 ], [ 512, 30 ])
{
	my ($bits, $chunks) = @$case;
	my $include = number(2) ? 'INCLUDE (id)' : '';
	my $random = "subcode(('\\x' || " . join(' || ', map { "md5((i * $_)::text)" } 1 .. 4) . ")::bincode, 1, $bits)";

	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS many;
		CREATE TABLE many (id int, code bincode($bits));
		INSERT INTO many SELECT i, CASE WHEN i % 50 < 48 THEN $random WHEN i % 50 = 48 THEN test_near_code($bits, i % 3, i)
			ELSE test_code($bits, 1) END FROM generate_series(1, 25000) AS i;
		SET maintenance_work_mem = '1MB';
		CREATE INDEX many_code ON many USING hashidx_hamming (code) $include WITH (method = mih, chunks = $chunks);
		INSERT INTO many SELECT i, CASE WHEN i % 9 > 0 THEN $random ELSE test_near_code($bits, i % 3, i) END
			FROM generate_series(25001, 35000) AS i;
		DELETE FROM many WHERE id % 7 = 3;
		VACUUM many;
		INSERT INTO many SELECT i, test_near_code($bits, i % 3, i) FROM generate_series(35001, 36000) AS i;});

	my @ordered_queries = map { my $code = $_;
		map { "SELECT id, code FROM many ORDER BY code <~> $code {tie} LIMIT $_" } (1, 200, 1500) }
	  ("test_code($bits, 1)", "test_near_code($bits, 2, 77)", "test_code($bits, 4711)");
	my @range_queries = map { my $code = $_;
		map { "SELECT id, code FROM many WHERE hamming_within(code, $code, $_)" } (0 .. 6, int($bits / 16), int($bits / 8), int($bits / 4)) }
	  ("test_code($bits, 1)", "test_near_code($bits, 2, 77)", "test_code($bits, 4711)");

	is(differences($node, ['Index Scan'], \@ordered_queries), '', "$bits bits, $chunks chunks: ordered scans");
	is(differences($node, [ 'Index Scan', 'Bitmap Heap Scan' ], \@range_queries), '', "$bits bits, $chunks chunks: ranges");
	is(check_index($node, 'many_code'), '', "$bits bits, $chunks chunks: hashidx_check");
}

# Built in several batches, with an amount of equal codes that goes over batches and pages.
$node->safe_psql('postgres', q{
	CREATE TABLE large AS SELECT i AS id,
			(CASE WHEN i % 3 = 0 THEN i % 20 ELSE hashint8(i)::bigint * 2654435761 END)::bincode AS code
		FROM generate_series(1, 300000) AS i;
	SET maintenance_work_mem = '1MB';
	CREATE INDEX large_code ON large USING hashidx_hamming (code);});
is( differences($node, ['Index Scan'], [
			map { "SELECT id FROM large ORDER BY code <~> (SELECT code FROM large WHERE id = $_) {tie} LIMIT 2000" }
			  (3, 77, 150001)]),
	'', 'several batches: ordered scans');
is( differences($node, [ 'Index Scan', 'Bitmap Heap Scan' ], [
			map { "SELECT id FROM large WHERE hamming_within(code, $_\::bigint::bincode, 3)" } (0, 7, 123456789)]),
	'', 'several batches: ranges');
is(check_index($node, 'large_code'), '', 'several batches: hashidx_check');

# Whatever the threads and batches, a build finds all rows.
foreach my $settings ("SET hashidx.build_threads = 1; SET maintenance_work_mem = '1MB'",
	"SET hashidx.build_threads = 7; SET maintenance_work_mem = '1GB'")
{
	$node->safe_psql('postgres', "$settings; REINDEX INDEX large_code");
	is(check_index($node, 'large_code'), '', $settings);
}

# A code that comes a million times, row by row, takes little more than its TIDs.
$node->safe_psql('postgres', q{
	CREATE TABLE same (code bincode(64));
	CREATE INDEX same_code ON same USING hashidx_hamming (code);
	INSERT INTO same SELECT 5::bigint::bincode FROM generate_series(1, 100000) AS i;});
cmp_ok($node->safe_psql('postgres', "SELECT pg_relation_size('same_code')"),
	'<', 100000 * 6 * 1.25, 'equal codes inserted one by one share their code');

no_crash($node);
$node->stop;
done_testing();
