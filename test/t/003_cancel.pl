# Cancelled statements: a build in any of its phases, a scan, a vacuum; the training of
# every kind of model, extending and judging one. The session goes on, no thread stays
# behind, no buffer or lock is forgotten, and the files of the index are removed.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = new_cluster('cancel', conf => 'log_min_messages = warning');

$node->safe_psql('postgres', q{
	CREATE TABLE item AS
		SELECT i AS id, (hashint8(i)::bigint * 2654435761)::bincode || (hashint8(i % 1000)::bigint * 40503)::bincode AS code
		FROM generate_series(1, 300000) AS i;
	CREATE TABLE few AS SELECT id, code FROM item WHERE id <= 2000;});

# Files of the database that no relation owns; a checkpoint removes what is left of dropped ones.
sub orphans
{
	return $node->safe_psql('postgres', q{
		CHECKPOINT;
		SELECT count(*) FROM pg_database, pg_ls_dir('base/' || oid) AS file
		WHERE datname = current_database() AND file ~ '^[0-9]+$'
			AND file NOT IN (SELECT pg_relation_filenode(oid)::text FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL)});
}

# A statement under many timeouts in one session, and what comes after it each time; what it printed.
sub with_timeouts
{
	my ($statement, $after, @milliseconds) = @_;
	my $script = join("\n", 'SET client_min_messages = warning;',
		map { ("SET statement_timeout = $_;", "$statement;", 'SET statement_timeout = 0;', $after) } @milliseconds);
	my ($status, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
	my @errors = grep { /ERROR|FATAL|WARNING|closed/ } split(/\n/, $err);
	my @others = grep { !/canceling statement due to statement timeout/ } @errors;

	is(join("\n", @others), '', "$statement: only cancelled");
	note("$statement: " . @errors . ' of ' . @milliseconds . ' cancelled');
	return ($out, scalar @errors);
}

# How long a build takes here, to cancel it all along the way.
my $threads = -d '/proc/self/task' ? q{SELECT count(*) FROM pg_ls_dir('/proc/self/task')} : 'SELECT 1';
my $settings = "SET hashidx.build_threads = 4; SET maintenance_work_mem = '1GB'";
my $started = time();
my $status;

foreach my $include ('', 'INCLUDE (id)')
{
	$node->safe_psql('postgres',
		"$settings; CREATE INDEX item_code ON item USING hashidx_hamming (code) $include; DROP INDEX item_code");
}

my $build = (time() - $started) * 1000 / 2;
my @steps = map { int($build * $_ / 16) + 1 } 1 .. 16;

is(orphans(), 0, 'no file without an owner to begin with');
foreach my $include ('', ' INCLUDE (id)')
{
	my ($out, $cancelled) = with_timeouts("CREATE INDEX item_code ON item USING hashidx_hamming (code)$include",
		"$threads; DROP INDEX IF EXISTS item_code;", @steps);

	is($out, join("\n", (1) x @steps), "build$include: no thread stays");
	cmp_ok($cancelled, '>', 5, "build$include: some were cancelled");
	is(orphans(), 0, "build$include: no file stays");
}

# Cancelled while threads are at work: a watcher cancels whoever the progress view shows in that phase.
my $watch = q{
	DO $$
	DECLARE
		give_up timestamptz := clock_timestamp() + interval '10 s';
	BEGIN
		LOOP
			PERFORM pg_stat_clear_snapshot(), pg_sleep(0.0005);
			PERFORM pg_cancel_backend(pid) FROM pg_stat_progress_create_index WHERE phase LIKE '%grouping equal codes';
			EXIT WHEN FOUND OR clock_timestamp() > give_up;
		END LOOP;
	END $$};
my $grouping = 0;

foreach my $attempt (1 .. 3)
{
	my ($out, $err) = ('', '');
	my $watcher = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $watch ],
		'<', \undef, '>', \$out, '2>', \$err);

	($status, $out, $err) = $node->psql('postgres',
		join(";\n", $settings, 'SELECT pg_sleep(0.2)', 'CREATE INDEX item_code ON item USING hashidx_hamming (code)',
			$threads, 'DROP INDEX IF EXISTS item_code'),
		on_error_stop => 0);
	$grouping++ if $err =~ /canceling statement due to user request/;
	is($out, "\n1", 'one thread goes on');
	$watcher->finish;
}
cmp_ok($grouping, '>', 0, 'builds cancelled while grouping');
is(orphans(), 0, 'cancelled while grouping: no file stays');

# CREATE INDEX CONCURRENTLY leaves an invalid index, which is there to be dropped.
with_timeouts('CREATE INDEX CONCURRENTLY item_code ON item USING hashidx_hamming (code) INCLUDE (id)',
	'DROP INDEX IF EXISTS item_code;', @steps[ 2, 6, 10, 14 ]);
is(orphans(), 0, 'CREATE INDEX CONCURRENTLY: no file stays');

# Scans.
$node->safe_psql('postgres', 'CREATE INDEX item_code ON item USING hashidx_hamming (code) INCLUDE (id); VACUUM item');
foreach my $query (
	'SELECT count(*) FROM (SELECT id FROM item ORDER BY code <~> (SELECT code FROM few LIMIT 1)) AS i',
	'SELECT sum(n) FROM few, LATERAL (SELECT count(*) AS n FROM item WHERE hamming_within(item.code, few.code, 40)) AS i',
	'SELECT count(*) FROM few, LATERAL (SELECT id FROM item ORDER BY item.code <~> few.code LIMIT 5) AS i')
{
	my ($out, $cancelled) = with_timeouts(
		"SET enable_seqscan = off; SET enable_sort = off; $query",
		'SELECT id FROM item ORDER BY code <~> (SELECT code FROM item WHERE id = 77) LIMIT 1;', 3, 10, 30, 60);

	is($cancelled, 4, 'the query was cancelled');
	is($out, join("\n", (77) x 4), 'and the next one has its answer');
}

# Many queries at once, and all pairs.
foreach my $query (
	q{SELECT count(*) FROM hashidx_knn_join('item_code', 'item', 'code')},
	q{SELECT count(*) FROM hashidx_pairs('item_code', 40)})
{
	my ($out, $cancelled) = with_timeouts($query,
		'SELECT id FROM item ORDER BY code <~> (SELECT code FROM item WHERE id = 77) LIMIT 1;', 3, 10, 30, 60);

	is($cancelled, 4, "cancelled: $query");
	is($out, join("\n", (77) x 4), 'and the next query has its answer');
}

# Vacuum; a cancelled one leaves a sound index, the next one finishes.
$node->safe_psql('postgres', 'DELETE FROM item WHERE id % 2 = 0');
with_timeouts('VACUUM item', "SELECT hashidx_check('item_code', true);", 20, 60, 120, 200);
$node->safe_psql('postgres', 'VACUUM item');
is(check_index($node, 'item_code'), '', 'sound after vacuums that were cancelled');
is($node->safe_psql('postgres', q{SELECT hashidx_index_stats('item_code') -> 'rows'}), 150000, 'and complete');

# Inserts, and the checker itself.
with_timeouts('INSERT INTO item SELECT -id, code FROM item LIMIT 100000', "SELECT hashidx_check('item_code', true);", 30, 100, 200);
with_timeouts(q{SELECT hashidx_check('item_code', true)}, 'SELECT;', 1, 5, 20);
with_timeouts(q{SELECT hashidx_index_stats('item_code')}, 'SELECT;', 1);
$node->safe_psql('postgres', 'VACUUM item');
is(check_index($node, 'item_code'), '', 'sound at the end');

# Models: cancelled all along the way, with threads at work. Afterwards the session has the
# threads and the memory that it had, and no progress is shown.
$node->safe_psql('postgres', q{
	CREATE TABLE learned AS
		SELECT i AS id, (SELECT array_agg(((hashint4(i * 96 + j) % 1000) / 500.0 + j % 7 * (i % 11))::real ORDER BY j)::qvec
			FROM generate_series(1, 96) AS j) AS v, NULL::bincode(32) AS code
		FROM generate_series(1, 4000) AS i;
	CREATE TABLE model AS SELECT hashidx_train('itq', 'learned', 'v', 32) AS model;
	UPDATE learned SET code = hashidx_encode(model, v) FROM model WHERE id <= 3000;});

my $after_model = qq{$threads;
	SELECT count(*) FROM pg_backend_memory_contexts WHERE name IN ('hashidx computation', 'hashidx sample');
	SELECT count(*) FROM hashidx_progress;};

foreach my $call (
	q{hashidx_train('simhash', 'learned', 'v', 2048, '{"median": true}')},
	q{hashidx_train('sparse', 'learned', 'v', 2048, '{"median": true}')},
	q{hashidx_train('pca', 'learned', 'v', 96)},
	q{hashidx_train('itq', 'learned', 'v', 96)},
	q{hashidx_train('ksh', 'learned', 'v', 64)},
	q{hashidx_train('recurrent', 'learned', 'v', 128)},
	q{hashidx_train('cca_itq', 'learned', 'v', 96, '{"second_column": "v"}')},
	q{hashidx_train('projection', 'learned', 'v', 96, '{"second_column": "v"}')},
	q{hashidx_train('relative', 'learned', 'v', 2000)},
	q{hashidx_train('weights', 'learned', 'v', 96)},
	q{hashidx_train('pq', 'learned', 'v', 8)},
	q{hashidx_train('rq', 'learned', 'v', 2)},
	q{hashidx_train('fsq', 'learned', 'v', 96)},
	q{hashidx_extend((SELECT model FROM model), 'learned', 'v', 'code')},
	q{hashidx_encoder_recall((SELECT model FROM model), 'learned', 'v', sample => 1000)},
	q{hashidx_bit_balance('learned', 'code')})
{
	my $statement = qq{$settings; DO \$do\$ BEGIN PERFORM * FROM $call AS made; END \$do\$};

	$started = time();
	$node->safe_psql('postgres', $statement);

	my $long = (time() - $started) * 1000;
	my @timeouts = map { int($long * $_ / 8) + 1 } 0 .. 7;
	my ($out) = with_timeouts($statement, $after_model, @timeouts);

	is($out, join("\n", ("1\n0\n0") x @timeouts), 'nothing stays');
}

no_crash($node);
$node->stop;
done_testing();
