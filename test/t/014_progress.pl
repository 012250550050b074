# The progress of trainings in the view hashidx_progress: it is seen from another session,
# goes on, is shown to whom it concerns, and ends with the training, also with a cancelled one.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('progress');
my $connection = $node->connstr('postgres');

$node->safe_psql('postgres', q{
	CREATE TABLE item AS
		SELECT i AS id, (SELECT ('[' || string_agg((hashint4(i * 16 + j) % 1000)::text, ',') || ']')::qvec
			FROM generate_series(1, 16) AS j) AS v
		FROM generate_series(1, 3000) AS i;
	CREATE ROLE stranger;
	CREATE ROLE watcher;
	GRANT pg_read_all_stats TO watcher;});

# Starts psql on some commands; it goes on after errors.
sub start_session
{
	my (@commands) = @_;
	my %session = (out => '', err => '');

	$session{process} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $connection, map { ('-c', $_) } @commands ],
		'<', \undef, '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

# Long enough for every look at it: it ends when it is cancelled.
my $long = q{hashidx_train('ksh', 'item', 'v', 299, '{"anchors": 300, "refine": 1000}')};
my $session = start_session("SELECT length(${long}::text)",
	q{SELECT 'goes on', count(*) FROM hashidx_progress});

ok( $node->poll_query_until('postgres', q{
		SELECT EXISTS (SELECT FROM hashidx_progress WHERE phase = 'learning bits' AND done > 0)}),
	'bits are being learned');
is( $node->safe_psql('postgres', q{
		SELECT datname, relid::regclass, function, kind, phase, total, done < total FROM hashidx_progress}),
	'postgres|item|hashidx_train|ksh|learning bits|299|t',
	'what is under way');

my $done = $node->safe_psql('postgres', 'SELECT done FROM hashidx_progress');

ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM hashidx_progress WHERE done > $done)"), 'it goes on');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_progress_create_index}), 0, 'the views of the server show nothing');
is( $node->safe_psql('postgres', q{
		SET ROLE stranger;
		SELECT pid > 0, datname, relid, function, kind, phase, done, total FROM hashidx_progress}),
	't|postgres||||||', 'strangers see who, but not what');
is( $node->safe_psql('postgres', q{
		SET ROLE watcher;
		SELECT function, phase FROM hashidx_progress}),
	'hashidx_train|learning bits', 'those who may read all statistics see all');

$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM hashidx_progress');
$session->{process}->finish;
like($session->{err}, qr/canceling statement due to user request/, 'the training was cancelled');
is($session->{out}, "goes on|0\n", 'and shows no progress any more, in a session that goes on');

# An error that is caught ends it as well, although the transaction goes on.
is( $node->safe_psql('postgres', q{
		DO $$
		BEGIN
			PERFORM hashidx_train('itq', 'item', 'v', 17);
		EXCEPTION WHEN invalid_parameter_value THEN
			PERFORM pg_stat_clear_snapshot();
			ASSERT (SELECT count(*) = 0 FROM hashidx_progress);
		END $$;
		SELECT 'nothing'}),
	'nothing', 'an error that is caught');

# With track_activities off, nothing is shown.
$session = start_session(q{SET application_name = 'untracked'},
	'SET track_activities = off', "SELECT length(${long}::text)");
ok( $node->poll_query_until('postgres', q{
		SELECT EXISTS (SELECT FROM pg_stat_activity, pg_locks
			WHERE application_name = 'untracked' AND pg_locks.pid = pg_stat_activity.pid
				AND relation = 'item'::regclass)}),
	'a training that is not tracked');
is($node->safe_psql('postgres', 'SELECT count(*) FROM hashidx_progress'), 0, 'shows nothing');
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'untracked'});
$session->{process}->finish;

no_crash($node);
$node->stop;
done_testing();
