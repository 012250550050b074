# A standby answers from its hashidx_hnsw index while the primary inserts, deletes and vacuums:
# replay frees nodes and postings under the scans there, and gives their places to others.
# Promoted, it goes on by itself.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxHnsw;
use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{HX_ROUNDS} // 8;
my $primary = new_cluster('hnsw_primary',
	init => { allows_streaming => 1 },
	conf => "wal_consistency_checking = 'generic'\nhot_standby_feedback = off");

add_vectors($primary);
$primary->safe_psql('postgres', q{
	CREATE TABLE item (id bigserial, v qvec(24));
	CREATE INDEX item_v ON item USING hashidx_hnsw (v) WITH (m = 16);
	INSERT INTO item (v) SELECT test_near_vector(24, i % 9, i) FROM generate_series(1, 1500) AS i;
	CREATE TABLE young (id bigserial, v qvec(24));
	CREATE INDEX young_v ON young USING hashidx_hnsw (v);
	CREATE TABLE wide (id bigserial, v qvec(4200));
	CREATE INDEX wide_v ON wide USING hashidx_hnsw (v);
	INSERT INTO wide (v) SELECT test_near_vector(4200, i % 3, i) FROM generate_series(1, 100) AS i;
	VACUUM ANALYZE;
});
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('hnsw_standby');

$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = -1');
$standby->start;

my $clients = start_clients($primary, 3, q{
\set a random(1, 1000000)
BEGIN;
INSERT INTO item (v) SELECT test_near_vector(24, i % 9, :a + i) FROM generate_series(1, 10) AS i;
INSERT INTO item (v) SELECT test_vector(24, :a % 3) FROM generate_series(1, 10);
END;
} => 5, q{
\set a random(0, 20)
DELETE FROM item WHERE id % 21 = :a;
} => 3, "VACUUM (TRUNCATE false) item;\n" => 2, q{
\set a random(1, 1000000)
INSERT INTO young (v) SELECT test_near_vector(24, 1, :a + i) FROM generate_series(1, 60) AS i;
} => 5, "TRUNCATE young;\n" => 1, q{
\set a random(1, 1000000)
INSERT INTO wide (v) SELECT test_near_vector(4200, i, :a + i) FROM generate_series(1, 3) AS i;
} => 5, q{
\set a random(0, 5)
DELETE FROM wide WHERE id % 6 = :a;
} => 3, "VACUUM (TRUNCATE false) wide;\n" => 2);

foreach my $round (1 .. $rounds)
{
	is(complaints($standby, 'item', '<->', 'test_vector(24, 1)', 'test_near_vector(24, 5, 0)'),
		'', "round $round: the standby answers while it replays");
	is(complaints($standby, 'wide', '<->', 'test_near_vector(4200, 1, 0)'), '', "round $round: also from large nodes");
	is(complaints($standby, 'young', '<->', 'test_near_vector(24, 1, 7)'), '', "round $round: also from an index that gets its centre");
}
is(stop_clients($clients), '', 'the writers met no error');
$primary->wait_for_catchup($standby);
foreach my $index (qw(item_v wide_v young_v))
{
	is(check_index($_, $index), '', $_->name . ": $index is sound") foreach ($primary, $standby);
	is( $standby->safe_psql('postgres', qq{SELECT hashidx_index_stats('$index')}),
		$primary->safe_psql('postgres', qq{SELECT hashidx_index_stats('$index')}),
		"$index is the same on both");
}

# A build logs all pages before the first record that changes one of them. The standby must not meet a record of
# a page that it does not know, which images of whole pages would hide, nor one of a page with other contents.
foreach my $images ('on', 'off')
{
	$primary->safe_psql('postgres', "ALTER SYSTEM SET full_page_writes = $images");
	$primary->safe_psql('postgres', 'SELECT pg_reload_conf(), pg_sleep(0.2)');
	$primary->safe_psql('postgres', q{
		CREATE TABLE built (id bigserial, v qvec(24));
		INSERT INTO built (v) SELECT test_near_vector(24, i % 9, i % 4000) FROM generate_series(1, 5000) AS i;
		INSERT INTO built (v) SELECT test_vector(24, 1) FROM generate_series(1, 400);
		SET maintenance_work_mem = '64MB';
		CREATE INDEX built_in_memory ON built USING hashidx_hnsw (v);
		SET maintenance_work_mem = '1MB';
		CREATE INDEX built_in_parts ON built USING hashidx_hnsw (v);
		CREATE INDEX built_of_nothing ON built USING hashidx_hnsw (v) WHERE id < 0;});
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	foreach my $index (qw(built_in_memory built_in_parts built_of_nothing))
	{
		is(check_index($standby, $index), '', "full_page_writes $images: $index is sound on the standby");
	}
	$primary->safe_psql('postgres', 'DROP TABLE built');
}

$primary->stop;
$standby->promote;
$standby->safe_psql('postgres', q{
	DELETE FROM item WHERE id % 2 = 0;
	VACUUM item;
	INSERT INTO item (v) SELECT test_near_vector(24, i % 9, i) FROM generate_series(1, 300) AS i;});
is(check_index($standby, 'item_v'), '', 'sound after promotion');
is(complaints($standby, 'item', '<->', 'test_vector(24, 2)'), '', 'and right');

# The file there is as long as replay made it: a new node must not take pages of one that was listed.
$standby->safe_psql('postgres', q{INSERT INTO wide (v) SELECT test_near_vector(4200, i % 3, -i) FROM generate_series(1, 30) AS i});
is(check_index($standby, 'wide_v'), '', 'large nodes are sound after promotion');
is(complaints($standby, 'wide', '<->', 'test_near_vector(4200, 1, 0)'), '', 'and right');

unlike(slurp_file($_->logfile), qr/PANIC|TRAP:|terminated by signal|inconsistent page/, $_->name . ' did not crash')
  foreach ($primary, $standby);
$standby->stop;
done_testing();
