# Crashes while clients insert, vacuum and build indexes: after recovery the
# index is sound and gives the rows of a sequential scan. Every WAL record is
# compared with the page it describes (wal_consistency_checking).

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{HX_ROUNDS} // 6;
my $node = new_cluster('crash', conf => q{
	wal_consistency_checking = 'generic'
	restart_after_crash = on
	checkpoint_timeout = 30s
	max_wal_size = 32MB
	shared_buffers = 4MB});

srand(20250601);

$node->safe_psql('postgres', q{
	CREATE TABLE item (id bigserial, code bincode(64), note text);
	CREATE INDEX item_code ON item USING hashidx_hamming (code) INCLUDE (id, note);
	CREATE TABLE plain (id bigserial, code bincode);
	CREATE INDEX plain_code ON plain USING hashidx_hamming (code) WITH (method = mih);
	CREATE TABLE wide (id bigserial, code bincode(256));
	INSERT INTO wide (code) SELECT test_code(256, i) FROM generate_series(1, 3000) AS i;
	CREATE INDEX wide_code ON wide USING hashidx_hamming (code) WITH (method = mih, chunks = 9);
	CREATE UNLOGGED TABLE fleeting (id bigserial, code bincode(64));
	CREATE INDEX fleeting_code ON fleeting USING hashidx_hamming (code) INCLUDE (id) WITH (method = mih);
	CREATE UNLOGGED TABLE untyped (id bigserial, code bincode);
	CREATE INDEX untyped_code ON untyped USING hashidx_hamming (code);
	CREATE TABLE built (id bigint, code bincode(64));
	INSERT INTO built SELECT i, hashint8(i)::bigint::bincode FROM generate_series(1, 60000) AS i;
});

my %scripts = (
	q{
\set a random(1, 1000000)
BEGIN;
INSERT INTO item (code, note) SELECT test_near_code(64, i % 4, :a + i), repeat('x', i * 3) FROM generate_series(1, 30) AS i;
INSERT INTO plain (code) SELECT test_code(200, :a % 3) FROM generate_series(1, 30) AS i;
INSERT INTO wide (code) SELECT test_code(256, :a + i) FROM generate_series(1, 30) AS i;
INSERT INTO fleeting (code) SELECT test_code(64, :a % 7) FROM generate_series(1, 5);
INSERT INTO untyped (code) SELECT test_code(64, :a % 7) FROM generate_series(1, 5);
END;
} => 6,
	q{
\set a random(0, 9)
DELETE FROM item WHERE id % 10 = :a;
DELETE FROM plain WHERE id % 10 = :a;
DELETE FROM wide WHERE id % 30 = :a;
} => 2,
	"VACUUM (TRUNCATE false) item;\nVACUUM (TRUNCATE false) plain;\nVACUUM (TRUNCATE false) wide;\n" => 2);
my $build = q{
SET maintenance_work_mem = '1MB';
CREATE INDEX CONCURRENTLY built_code ON built USING hashidx_hamming (code) INCLUDE (id);
DROP INDEX CONCURRENTLY built_code;
CREATE INDEX built_code ON built USING hashidx_hamming (code) INCLUDE (id) WITH (method = mih);
REINDEX TABLE CONCURRENTLY built;
DROP INDEX built_code;
};

# Every process of the cluster, killed at once.
sub kill_all
{
	open(my $file, '<', $node->data_dir . '/postmaster.pid') or die "no postmaster: $!";
	chomp(my $postmaster = <$file>);
	my @children = map { /^\s*(\d+)\s+$postmaster\s*$/ ? $1 : () } split(/\n/, `ps -A -o pid= -o ppid=`);

	kill('KILL', $postmaster, @children);
	$node->{_pid} = undef;
	for (1 .. 100)
	{
		last unless kill(0, $postmaster, @children);
		sleep(0.1);
	}

	# Where nobody reaps orphans, the dead would seem to live on.
	unlink($node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock');
	return;
}

# One backend at work, killed; the postmaster ends the others and starts anew.
sub kill_backend
{
	my $log_end = -s $node->logfile;
	my $pid = $node->safe_psql('postgres', q{
		SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY state <> 'active' LIMIT 1});

	kill('KILL', $pid);
	for (1 .. 300)
	{
		last if slurp_file($node->logfile, $log_end) =~ /reinitializing.*ready to accept connections/s;
		sleep(0.1);
	}
	return;
}

foreach my $round (1 .. $rounds)
{
	my $how = ('immediate', 'kill -9 of all', 'kill -9 of a backend')[ $round % 3 ];
	my $clients = start_clients($node, 3, %scripts);
	my $builder = start_clients($node, 1, $build => 1);

	sleep(0.7 + rand(0.8));
	if ($how eq 'immediate') { $node->stop('immediate'); }
	elsif ($how eq 'kill -9 of all') { kill_all(); }
	else { kill_backend(); }
	stop_clients($_) foreach ($clients, $builder);
	$node->start unless $how eq 'kill -9 of a backend';

	is(check_index($node, $_), '', "round $round, $how: $_ is sound")
	  foreach qw(item_code plain_code wide_code fleeting_code untyped_code);
	is( differences($node, [ 'Index Scan', 'Index Only Scan' ],
			['SELECT id, code, note FROM item ORDER BY code <~> test_code(64, 2) {tie}'])
		  . differences($node, [ 'Index Scan', 'Bitmap Heap Scan' ],
			[
				'SELECT id FROM plain WHERE hamming_within(code, test_code(200, 1), 0)',
				map { "SELECT id FROM wide WHERE hamming_within(code, (SELECT code FROM wide ORDER BY id DESC OFFSET $_ LIMIT 1), 8)" } (0, 50, 2000)
			]),
		'', "round $round: right answers");
	is( $node->safe_psql('postgres', q{
			SET enable_seqscan = off;
			SELECT count(*) FROM (SELECT id FROM fleeting ORDER BY code <~> test_code(64, 1) OFFSET 0) AS f;
			SELECT count(*) FROM (SELECT id FROM untyped ORDER BY code <~> test_code(64, 1) OFFSET 0) AS f;}),
		"0\n0", "round $round: unlogged indexes are empty");
	$node->safe_psql('postgres', q{
		INSERT INTO fleeting (code) SELECT test_code(64, 1) FROM generate_series(1, 10);
		INSERT INTO untyped (code) SELECT test_code(32, 1) FROM generate_series(1, 10);
		DROP INDEX IF EXISTS built_code, built_code_ccnew;
		CREATE INDEX built_code ON built USING hashidx_hamming (code);});
	is( differences($node, ['Index Scan'], [
				map { "SELECT id FROM $_ ORDER BY code <~> (SELECT code FROM $_ LIMIT 1) {tie} LIMIT 200" }
				  qw(fleeting untyped built) ]),
		'', "round $round: unlogged indexes and a new one are usable");
	$node->safe_psql('postgres', 'DROP INDEX built_code; TRUNCATE untyped');
}

$node->safe_psql('postgres', 'VACUUM item; VACUUM plain; VACUUM wide');
is(check_index($node, $_), '', "$_ is sound after vacuum") foreach qw(item_code plain_code wide_code);

my $log = slurp_file($node->logfile);

unlike($log, qr/PANIC|TRAP:|terminated by signal (?!9)|inconsistent page/,
	'nothing crashed by itself, replay made the same pages');
$node->stop;
done_testing();
