# Two writers and a vacuum at work on one hashidx_hnsw index, and readers who compare it with a
# sequential scan in the same snapshot; indexes built and rebuilt beside them; and nine tenths of
# the rows deleted and inserted again and again, which costs neither recall nor space.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxHnsw;
use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $seconds = $ENV{HX_SECONDS} // 6;
my $node = new_cluster('hnsw_churn');

add_vectors($node);
$node->safe_psql('postgres', q{
	CREATE TABLE item (id bigserial, v qvec(24), note text);
	CREATE INDEX item_v ON item USING hashidx_hnsw (v);
	CREATE INDEX item_note ON item (note);
	CREATE TABLE verdict (complaint text);
	INSERT INTO item (v) SELECT test_near_vector(24, i % 9, i) FROM generate_series(1, 1000) AS i;
	VACUUM ANALYZE;
});

my $writers = start_clients($node, 2, q{
\set a random(1, 1000000)
BEGIN;
INSERT INTO item (v) SELECT test_near_vector(24, i % 9, :a + i) FROM generate_series(1, 5) AS i;
INSERT INTO item (v) SELECT test_vector(24, :a % 3) FROM generate_series(1, 10);
END;
} => 6, q{
\set a random(0, 30)
DELETE FROM item WHERE id % 31 = :a;
UPDATE item SET note = note || '+' WHERE id % 29 = :a;
} => 3, "BEGIN; INSERT INTO item (v) SELECT test_near_vector(24, 1, i) FROM generate_series(1, 20) AS i; ROLLBACK;\n" => 1);
my $vacuum = start_clients($node, 1, "VACUUM (TRUNCATE false) item;\n" => 1);
my $builder = start_clients($node, 1, q{
CREATE INDEX CONCURRENTLY item_w ON item USING hashidx_hnsw (v qvec_cosine_ops) WITH (m = 16);
REINDEX INDEX CONCURRENTLY item_w;
DROP INDEX CONCURRENTLY item_w;
} => 1);
my $readers = start_clients($node, 2, q{
\set a random(0, 8)
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO verdict SELECT c FROM complaint('item', test_near_vector(24, :a, 0), '<->') AS c WHERE c IS NOT NULL;
END;
} => 2, q{
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO verdict SELECT c FROM complaint('item', test_vector(24, 1), '<->') AS c WHERE c IS NOT NULL;
END;
} => 1);

sleep($seconds);
is(stop_clients($readers), '', 'readers met no error');
is(stop_clients($writers), '', 'writers met no error');
is(stop_clients($vacuum), '', 'vacuum met no error');
stop_clients($builder);

# A backend at work may outlive its client for a while.
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity
	WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()}) or die 'backends stay';
is($node->safe_psql('postgres', 'SELECT * FROM verdict LIMIT 5'), '',
	'every answer was that of a sequential scan in the same snapshot');
foreach my $when ('', ' after vacuum')
{
	is(check_index($node, 'item_v'), '', "item_v is sound$when");
	is(complaints($node, 'item', '<->', 'test_vector(24, 2)'), '', "all rows in order$when");
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS item_w, item_w_ccnew, item_w_ccold; VACUUM (INDEX_CLEANUP ON) item');
}
is( $node->safe_psql('postgres', q{
		SELECT s -> 'dead', (s -> 'rows')::bigint - (SELECT count(*) FROM item) FROM hashidx_index_stats('item_v') AS s}),
	'0|0', 'vacuum has left nothing behind');

# Nine tenths go and come again.
$node->safe_psql('postgres', q{
	CREATE TABLE churn (id int, v qvec(48));
	CREATE INDEX churn_v ON churn USING hashidx_hnsw (v);
	INSERT INTO churn SELECT i, test_near_vector(48, i % 50, i) FROM generate_series(1, 3000) AS i;});

sub recall
{
	return $node->safe_psql('postgres', q{SET hashidx.ef_search = 40; SELECT recall_of('churn', 48, 40)});
}

my $recall = recall();
my $size = $node->safe_psql('postgres', q{SELECT pg_relation_size('churn_v')});

cmp_ok($recall, '>', 0.9, 'good recall of rows inserted one by one');
foreach my $round (1 .. 4)
{
	$node->safe_psql('postgres', "DELETE FROM churn WHERE id % 10 <> $round");
	$node->safe_psql('postgres', 'VACUUM churn');
	$node->safe_psql('postgres',
		"INSERT INTO churn SELECT i, test_near_vector(48, i % 50, i) FROM generate_series(1, 3000) AS i WHERE i % 10 <> $round");
	cmp_ok(recall(), '>', $recall - 0.02, "round $round: recall stays");
}
cmp_ok($node->safe_psql('postgres', q{SELECT pg_relation_size('churn_v')}), '<=', 1.05 * $size, 'the index has not grown');
is(check_index($node, 'churn_v'), '', 'and is sound');

# The same with nodes that are larger than a page.
$node->safe_psql('postgres', q{
	CREATE TABLE wide (id int, v qvec(4200));
	CREATE INDEX wide_v ON wide USING hashidx_hnsw (v);
	INSERT INTO wide SELECT i, test_near_vector(4200, i % 5, i) FROM generate_series(1, 200) AS i;});
$size = $node->safe_psql('postgres', q{SELECT pg_relation_size('wide_v')});
foreach my $round (1 .. 4)
{
	$node->safe_psql('postgres', "DELETE FROM wide WHERE id % 10 <> $round");
	$node->safe_psql('postgres', 'VACUUM wide');
	$node->safe_psql('postgres',
		"INSERT INTO wide SELECT i, test_near_vector(4200, i % 5, i) FROM generate_series(1, 200) AS i WHERE i % 10 <> $round");
	is(check_index($node, 'wide_v'), '', "round $round: wide_v is sound");
}
cmp_ok($node->safe_psql('postgres', q{SELECT pg_relation_size('wide_v')}), '<=', 1.05 * $size, 'wide_v has not grown');
is(complaints($node, 'wide', '<->', 'test_near_vector(4200, 1, 0)'), '', 'and gives all rows in order');

no_crash($node);
$node->stop;
done_testing();
