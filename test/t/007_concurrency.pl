# Clients insert duplicates and random codes, delete, update and vacuum at the
# same time, while others compare index and sequential scan within one
# snapshot, and hold cursors over all of it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{HX_SECONDS} // 8;
my $node = new_cluster('concurrency');

# item has INCLUDE columns, narrow has not; a table of verdicts collects what is wrong.
$node->safe_psql('postgres', q{
	CREATE TABLE item (id bigserial, code bincode(64), note text);
	CREATE INDEX item_code ON item USING hashidx_hamming (code) INCLUDE (id, note) WITH (method = mih);
	CREATE TABLE narrow (id bigserial, code bincode(100));
	CREATE INDEX narrow_code ON narrow USING hashidx_hamming (code) WITH (method = mih, chunks = 13);
	CREATE TABLE verdict (complaint text);
	INSERT INTO item (code, note) SELECT test_near_code(64, i % 5, i), 'first ' || i FROM generate_series(1, 3000) AS i;
	INSERT INTO narrow (code) SELECT test_near_code(100, i % 5, i) FROM generate_series(1, 3000) AS i;
	VACUUM ANALYZE;
});

my $insert = q{
\set a random(1, 1000000)
\set b random(0, 4)
BEGIN;
INSERT INTO item (code, note) SELECT test_code(64, :b), repeat('x', (:a % 50)::int) FROM generate_series(1, 20);
INSERT INTO item (code, note) SELECT test_near_code(64, :b, :a), 'near' FROM generate_series(1, 5);
INSERT INTO narrow (code) SELECT CASE WHEN i % 2 = 0 THEN test_code(100, :b) ELSE test_near_code(100, :b, :a + i) END
	FROM generate_series(1, 20) AS i;
END;
};
my $rollback = "BEGIN; INSERT INTO item (code, note) SELECT test_code(64, i), 'rolled back' FROM generate_series(1, 30) AS i; ROLLBACK;\n";
my $change = q{
\set a random(0, 100)
DELETE FROM item WHERE id % 101 = :a;
DELETE FROM narrow WHERE id % 101 = :a;
UPDATE item SET note = note || '+' WHERE id % 97 = :a;
};

# Comparisons set enable_* for their transaction only.
my $compare = join('', map {
		"BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
		  . "INSERT INTO verdict SELECT d FROM difference(\$q\$$_->[1]\$q\$, '$_->[0]') AS d WHERE d IS NOT NULL;\nEND;\n"
	} (
		[ 'Index Only Scan', 'SELECT id, note, code FROM item ORDER BY code <~> test_code(64, 3) LIMIT 500' ],
		[ 'Index Scan', 'SELECT id, note FROM item WHERE hamming_within(code, test_code(64, 1), 9)' ],
		[ 'Index Only Scan', 'SELECT id, note FROM item WHERE hamming_within(code, test_code(64, 2), 9)' ],
		[ 'Bitmap Heap Scan', 'SELECT id FROM narrow WHERE hamming_within(code, test_code(100, 2), 12)' ],
		[ 'Index Only Scan', 'SELECT code FROM narrow WHERE hamming_within(code, test_code(100, 4), 40)' ],
		[ 'Index Scan', 'SELECT id FROM narrow ORDER BY code <~> test_code(100, 3)' ]));
$compare =~ s/ORDER BY (code <~> \S+ \d\))/ORDER BY $1 {tie}/g;

my $drain = q{
\set a random(0, 4)
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO verdict SELECT d
	FROM difference_when_drained('SELECT id FROM item ORDER BY code <~> test_code(64, ' || :a || ')') AS d WHERE d IS NOT NULL;
END;
};
my $vacuum = "VACUUM (TRUNCATE false) item;\nVACUUM (TRUNCATE false) narrow;\n\\sleep 20 ms\n";
my $writers = start_clients($node, 4, $insert => 6, $rollback => 1, $change => 3);
my $vacuumer = start_clients($node, 1, $vacuum => 1);
my $readers = start_clients($node, 3, $compare => 2, $drain => 1);

sleep($seconds);
is(stop_clients($readers), '', 'readers met no error');
is(stop_clients($writers), '', 'writers met no error');
is(stop_clients($vacuumer), '', 'vacuum met no error');

# A backend at work may outlive its client for a while, and its snapshot holds vacuum up.
$node->poll_query_until('postgres',
	q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'});

# Their backends may still be at it; the snapshots they hold keep dead rows in the index.
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity
	WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()}) or die 'backends stay';

is($node->safe_psql('postgres', 'SELECT * FROM verdict LIMIT 5'), '',
	'every answer was that of a sequential scan in the same snapshot');
note($node->safe_psql('postgres', q{SELECT hashidx_index_stats('item_code'), hashidx_index_stats('narrow_code')}));

foreach my $round ('', ' after vacuum')
{
	is(check_index($node, $_), '', "$_ is sound$round") foreach ('item_code', 'narrow_code');
	is( differences($node, [ 'Index Only Scan', 'Index Scan' ],
			['SELECT id, note, code FROM item ORDER BY code <~> test_code(64, 3) {tie}']),
		'', "all rows in order$round");
	is($node->safe_psql('postgres', q{SELECT (hashidx_index_stats('item_code') -> 'rows')::bigint - count(*) FROM item}),
		0, 'vacuum has left no row too many') if $round;

	# Without this, VACUUM leaves the index alone when only a few rows are dead.
	$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $_") foreach ('item', 'narrow');
}

no_crash($node);
$node->stop;
done_testing();
