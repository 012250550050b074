# A physical standby answers as the primary does, while the primary inserts,
# deletes and vacuums, and goes on by itself once promoted. There are no locks
# on a standby that vacuum would respect: rows that a query there has found may
# be removed by replay before it returns them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{HX_ROUNDS} // 15;
my $primary = new_cluster('primary',
	init => { allows_streaming => 1 },
	conf => "wal_consistency_checking = 'generic'\nautovacuum = off\nhot_standby_feedback = off\nwal_keep_size = 4GB");

$primary->safe_psql('postgres', q{
	CREATE TABLE item (id bigserial, code bincode(64), note text);
	CREATE INDEX item_code ON item USING hashidx_hamming (code) INCLUDE (id, note);
	CREATE TABLE narrow (id bigserial, code bincode);
	CREATE INDEX narrow_code ON narrow USING hashidx_hamming (code) WITH (method = mih, chunks = 3);
	CREATE TABLE wide (id bigserial, code bincode(256));
	INSERT INTO wide (code) SELECT test_code(256, i) FROM generate_series(1, 3000) AS i;
	CREATE INDEX wide_code ON wide USING hashidx_hamming (code) WITH (method = mih, chunks = 9);
	INSERT INTO item (code, note) SELECT test_near_code(64, i % 5, i), 'first ' || i FROM generate_series(1, 2000) AS i;
	VACUUM ANALYZE;
});
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');

$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = -1');
$standby->start;

my @scans = ('Index Scan', 'Index Only Scan');
my @queries = (
	'SELECT id, note, code FROM item ORDER BY code <~> test_code(64, 3) {tie} LIMIT 700',
	'SELECT id, note FROM item WHERE hamming_within(code, test_code(64, 1), 9)');
my @narrow_queries = (
	'SELECT id FROM narrow WHERE hamming_within(code, test_code(100, 2), 12)',
	'SELECT id FROM narrow WHERE hamming_within(code, test_code(100, 3), 2)',
	'SELECT id FROM narrow ORDER BY code <~> test_code(100, 3) {tie}');

my @wide_queries = map { "SELECT id FROM wide WHERE hamming_within(code, test_code(256, $_), 8)" } (7, 2003, 500001);

my $clients = start_clients($primary, 3, q{
\set a random(1, 1000000)
BEGIN;
INSERT INTO item (code, note) SELECT test_near_code(64, :a % 5, :a + i % 3), repeat('x', (:a % 50)::int) FROM generate_series(1, 20) AS i;
INSERT INTO narrow (code) SELECT CASE WHEN i % 2 = 0 THEN test_code(100, 2) ELSE test_near_code(100, 3, :a + i) END
	FROM generate_series(1, 20) AS i;
INSERT INTO wide (code) SELECT test_code(256, 500000 + i) FROM generate_series(1, 30) AS i;
END;
} => 5, q{
\set a random(0, 60)
DELETE FROM item WHERE id % 61 = :a;
DELETE FROM narrow WHERE id % 61 = :a;
DELETE FROM wide WHERE id % 61 = :a;
UPDATE item SET note = note || '+' WHERE id % 59 = :a;
} => 3, "VACUUM (TRUNCATE false) item;\nVACUUM (TRUNCATE false) narrow;\nVACUUM (TRUNCATE false) wide;\n" => 2);

# The first code of narrow is yet to come: until then its index has no length of codes.
$primary->poll_query_until('postgres', 'SELECT count(*) > 0 FROM narrow');

my $complaints = '';
foreach my $round (1 .. $rounds)
{
	$complaints .= differences($standby, \@scans, \@queries);
	$complaints .= differences($standby, [ 'Index Scan', 'Bitmap Heap Scan' ], \@wide_queries);
	$complaints .= differences($standby, ['Index Scan'], \@narrow_queries) if $round > $rounds / 2;
	$complaints .= $standby->safe_psql('postgres', qq{
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT difference_when_drained('SELECT id FROM item ORDER BY code <~> test_code(64, 3)');
		COMMIT});
	$complaints .= check_index($standby, 'item_code') if $round % 5 == 0;
}
is($complaints, '', 'the standby answers rightly while it replays');
is(stop_clients($clients), '', 'the clients met no error');

$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
is(check_index($standby, $_), '', "$_ is sound on the standby") foreach qw(item_code narrow_code wide_code);
foreach my $query (map { s/ \{tie\}//r } @queries, @narrow_queries, @wide_queries)
{
	my $sql = "SET enable_seqscan = off; SELECT count(*), md5(string_agg(q::text, ' ')) FROM ($query) AS q";
	is($standby->safe_psql('postgres', $sql), $primary->safe_psql('postgres', $sql), "primary and standby agree: $query");
}
is( $standby->safe_psql('postgres', "SELECT hashidx_index_stats('item_code')"),
	$primary->safe_psql('postgres', "SELECT hashidx_index_stats('item_code')"), 'hashidx_index_stats agrees');

# A new life.
$standby->promote;
$standby->safe_psql('postgres', q{
	INSERT INTO item (code, note) SELECT test_code(64, i % 9), 'promoted' FROM generate_series(1, 3000) AS i;
	DELETE FROM item WHERE id % 2 = 0;});
$standby->safe_psql('postgres', 'VACUUM item');
is(check_index($standby, $_), '', "$_ is sound after promotion") foreach qw(item_code narrow_code wide_code);
is(differences($standby, \@scans, \@queries), '', 'right answers after promotion');

no_crash($_) foreach ($primary, $standby);
unlike(slurp_file($standby->logfile), qr/inconsistent page/, 'replay made the same pages');
$standby->stop;
$primary->stop;
done_testing();
