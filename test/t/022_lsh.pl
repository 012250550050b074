# hashidx_lsh in crashes and on a standby: clients insert, so that pages are split, buckets
# become long and the directory grows, and delete and vacuum; the server is killed in the
# middle. After recovery the index is sound, every row is in it, and scans are right. A
# standby gives the same answers while all this is replayed.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{HX_ROUNDS} // 4;
my $node = new_cluster('lsh', init => { allows_streaming => 1 }, conf => q{
	wal_consistency_checking = 'generic'
	restart_after_crash = on
	checkpoint_timeout = 30s
	max_wal_size = 64MB
	wal_keep_size = 1GB
	shared_buffers = 8MB});

# Sets: half of them one and the same, a few that many rows share, the rest all different.
$node->safe_psql('postgres', q{
	CREATE FUNCTION test_set(a bigint, b bigint) RETURNS int[] IMMUTABLE LANGUAGE sql AS $$
		SELECT CASE a % 4 WHEN 0 THEN '{1,2,3}' WHEN 1 THEN '{1,2,3}'
			WHEN 2 THEN ARRAY[b % 20, 1000] ELSE ARRAY[b % 1000000, b / 7 % 1000000, b % 77777] END::int[] $$;
	CREATE TABLE item (id bigserial, s int[], v qvec(8));
	CREATE INDEX item_s ON item USING hashidx_lsh (s) WITH (bands = 6, rows = 1);
	CREATE INDEX item_v ON item USING hashidx_lsh (v) WITH (tables = 4, bits = 1);
	CREATE UNLOGGED TABLE fleeting (id bigserial, s int[]);
	CREATE INDEX fleeting_s ON fleeting USING hashidx_lsh (s) WITH (bands = 3, rows = 1);
	INSERT INTO item (s, v) VALUES ('{1,2,3}', '[1,2,3,4,5,6,7,8]');
	INSERT INTO fleeting (s) VALUES ('{1,2,3}');
});

my %scripts = (
	q{
\set a random(1, 1000000)
BEGIN;
INSERT INTO item (s, v) SELECT test_set(i, :a * 31 + i),
	ARRAY[i % 3, :a % 7, i % 5 - 2, 3 - :a % 4, 1, (:a + i) % 11, 2, i % 2]::int[]::qvec FROM generate_series(1, 60) AS i;
INSERT INTO fleeting (s) SELECT test_set(i, :a + i) FROM generate_series(1, 5) AS i;
END;
} => 8,
	q{
\set a random(0, 9)
DELETE FROM item WHERE id % 10 = :a;
} => 1,
	"VACUUM (TRUNCATE false) item;\n" => 1);

# The rows of a range with radius 0, which no probe may miss, by index and by sequential scan.
my @queries = map { "SELECT id FROM item WHERE jaccard_within(s, '$_', 0)" } ('{1,2,3}', '{7,1000}', '{13,1000}');

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('lsh_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;

foreach my $round (1 .. $rounds)
{
	my $clients = start_clients($node, 3, %scripts);

	sleep(1.0 + $round / 4);
	is(differences($standby, [ 'Index Scan', 'Bitmap Heap Scan' ], \@queries), '',
		"round $round: right answers on the standby, in the middle of replay");
	if ($round % 2)
	{
		$node->stop('immediate');
		stop_clients($clients);
		$node->start;
	}
	else
	{
		my $log_end = -s $node->logfile;
		my $pid = $node->safe_psql('postgres', q{
			SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
			ORDER BY query LIKE 'INSERT%' DESC, state <> 'active' LIMIT 1});

		kill('KILL', $pid);
		for (1 .. 300)
		{
			last if slurp_file($node->logfile, $log_end) =~ /reinitializing.*ready to accept connections/s;
			sleep(0.1);
		}
		stop_clients($clients);
	}
	is(check_index($node, $_), '', "round $round: $_ is sound, with every row") foreach qw(item_s item_v fleeting_s);
	is(differences($node, [ 'Index Scan', 'Bitmap Heap Scan' ], \@queries), '', "round $round: right answers");
	is($node->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM item ORDER BY s <%> ARRAY[1] OFFSET 0) a'),
		$node->safe_psql('postgres', 'SELECT count(*) FROM item'), "round $round: a drained scan has every row");
	is($node->safe_psql('postgres', "SET enable_seqscan = off; SELECT count(*) FROM fleeting WHERE jaccard_within(s, '{1,2,3}', 0)"),
		'0', "round $round: the unlogged index is empty");
	$node->safe_psql('postgres', "INSERT INTO fleeting (s) VALUES ('{1,2,3}')");
}

my $stats = $node->safe_psql('postgres', q{SELECT (s ->> 'bucket_pages')::int > 10, (s ->> 'long_pages')::int > 3 FROM hashidx_index_stats('item_s') s});

is($stats, 't|t', 'pages were split and buckets became long');
$node->safe_psql('postgres', 'DELETE FROM item WHERE id % 3 > 0; VACUUM item');
is(check_index($node, $_), '', "$_ is sound after vacuum") foreach qw(item_s item_v);
$node->wait_for_catchup($standby);
is(differences($standby, [ 'Index Scan', 'Bitmap Heap Scan' ], \@queries), '', 'right answers on the standby after all');
is($standby->safe_psql('postgres', "SELECT hashidx_check('item_s', true)"), '', 'the standby has a sound index');

my $log = slurp_file($node->logfile) . slurp_file($standby->logfile);

unlike($log, qr/PANIC|TRAP:|terminated by signal (?!9)|inconsistent page/,
	'nothing crashed by itself, replay made the same pages');
$standby->stop;
$node->stop;
done_testing();
