# HxTest
#	  What the TAP tests share: a cluster with hashidx in it, reproducible codes,
#	  and the comparison of an index with a sequential scan.

package HxTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

our @EXPORT = qw(new_cluster add_helpers page_size differences check_index sql_state no_crash start_clients stop_clients
	kill_all kill_backend);

# A started cluster for tests: no waiting for disks, and nothing happens by itself.
sub new_cluster
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%{ $options{init} // {} });
	$node->append_conf('postgresql.conf', join("\n",
			'fsync = off', 'autovacuum = off', 'jit = off', 'max_parallel_workers_per_gather = 0',
			$options{conf} // '', ''));
	$node->start;
	add_helpers($node, 'postgres') unless $options{bare};
	return $node;
}

# Bytes of a page: what the server was built with.
sub page_size
{
	my ($node) = @_;

	return $node->safe_psql('postgres', 'SHOW block_size');
}

# Creates the extension and the functions behind the checks.
sub add_helpers
{
	my ($node, $database) = @_;

	$node->safe_psql($database, <<'SQL');
CREATE EXTENSION hashidx;

-- A code that depends on bits and seed only.
CREATE FUNCTION test_code(bits int, seed bigint) RETURNS bincode IMMUTABLE STRICT LANGUAGE sql AS $$
	SELECT subcode(('\x' || string_agg(md5(seed || '.' || i), '' ORDER BY i))::bincode, 1, bits)
	FROM generate_series(1, (bits + 127) / 128) AS i
$$;

-- One of few codes, and near it: the low bits of a are the code, those of b flip some of its bits.
CREATE FUNCTION test_near_code(bits int, a bigint, b bigint) RETURNS bincode IMMUTABLE STRICT LANGUAGE sql AS $$
	SELECT test_code(bits, a) # (test_code(bits, -b) & test_code(bits, -b * 7 - 1) & test_code(bits, -b * 11 - 2))
$$;

-- The rows of a query as text, planned as told; scan: part of the plan's text that must be there.
CREATE FUNCTION rows_by(query text, scan text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
	answer text[];
BEGIN
	PERFORM set_config('enable_seqscan', (scan LIKE 'Seq%')::text, true),
		set_config('enable_indexscan', (scan LIKE '%Index%')::text, true),
		set_config('enable_indexonlyscan', (scan LIKE 'Index Only%')::text, true),
		set_config('enable_bitmapscan', (scan LIKE 'Bitmap%')::text, true),
		set_config('enable_sort', (scan NOT LIKE 'Index%')::text, true);
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	IF position(scan IN plan) = 0 THEN
		RAISE EXCEPTION 'no % in the plan of %:%', scan, query, E'\n' || plan;
	END IF;
	EXECUTE format('SELECT array_agg(answer::text) FROM (%s) AS answer', query) INTO answer;
	RETURN coalesce(answer, '{}');
END $$;

-- NULL when a scan gives the rows of a sequential scan, in its order where {tie} makes that total.
CREATE FUNCTION difference(query text, scan text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	expected text[] := rows_by(replace(query, '{tie}', ', ctid'), 'Seq Scan');
	answer text[] := rows_by(replace(query, '{tie}', ''), scan);
	place int := 1;
BEGIN
	IF position('{tie}' IN query) = 0 THEN
		expected := ARRAY(SELECT unnest(expected) ORDER BY 1);
		answer := ARRAY(SELECT unnest(answer) ORDER BY 1);
	END IF;
	IF answer = expected THEN
		RETURN NULL;
	END IF;
	WHILE answer[place] IS NOT DISTINCT FROM expected[place] LOOP
		place := place + 1;
	END LOOP;
	RETURN format('%s of %s: %s rows instead of %s, row %s is %s instead of %s', scan, query,
		cardinality(answer), cardinality(expected), place, answer[place], expected[place]);
END $$;

-- NULL when the ids that an ordered index scan gives, drained slowly through a cursor, are those of
-- a sequential scan in the same snapshot.
CREATE FUNCTION difference_when_drained(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	scan refcursor;
	expected bigint[];
	got bigint[] := '{}';
	id bigint;
BEGIN
	EXECUTE format('SELECT array_agg(id) FROM (%s, ctid) AS i', query) INTO expected;
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
	OPEN scan NO SCROLL FOR EXECUTE query;
	LOOP
		FETCH scan INTO id;
		EXIT WHEN NOT FOUND;
		got := got || id;
		IF cardinality(got) % 300 = 1 THEN
			PERFORM pg_sleep(0.02);
		END IF;
	END LOOP;
	CLOSE scan;
	IF got IS DISTINCT FROM coalesce(expected, '{}') THEN
		RETURN format('%s: %s rows drained instead of %s', query, cardinality(got), cardinality(expected));
	END IF;
	RETURN NULL;
END $$;
SQL
	return;
}

# Asks each query by each kind of scan, in one snapshot; returns what differs from a sequential scan.
# In a query {tie} stands behind the distance it is ordered by. settings: SQL that comes first.
sub differences
{
	my ($node, $scans, $queries, $settings) = @_;
	my @pairs = map { my $query = $_; map { [ $query, $_ ] } @$scans } @$queries;
	my $values = join(",\n", map { sprintf("(\$q\$%s\$q\$, '%s')", @$_) } @pairs);

	return $node->safe_psql('postgres', ($settings // '') . qq{
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT d FROM (VALUES $values) AS v (query, scan), LATERAL difference(query, scan) AS d WHERE d IS NOT NULL;
		COMMIT;});
}

# hashidx_check with all rows of the table; returns what it complains about.
sub check_index
{
	my ($node, $index) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "SELECT hashidx_check('$index', true)");

	return $status == 0 ? '' : $err;
}

# Runs one statement; returns its SQLSTATE ('00000' when it works) and, in list context, all that it says.
sub sql_state
{
	my ($node, $sql, %options) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql", on_error_stop => 0, %options);
	my ($state) = $err =~ /(?:ERROR|FATAL|PANIC):  ([0-9A-Z]{5}):/;

	$state //= $err =~ /server closed the connection|could not connect|connection to server/ ? 'crash' : '00000';
	return wantarray ? ($state, $err, $out) : $state;
}

# Starts clients that run pgbench scripts until stop_clients() or a crash. scripts: text => weight.
my $script_count = 0;

sub start_clients
{
	my ($node, $clients, %scripts) = @_;
	my @files;

	foreach my $script (sort keys %scripts)
	{
		my $file = $node->basedir . '/script' . $script_count++;
		append_to_file($file, $script);
		push @files, '-f', "$file\@$scripts{$script}";
	}
	my %run = (out => '', err => '');
	$run{process} = IPC::Run::start(
		[ 'pgbench', '-n', '-c', $clients, '-j', 1, '-T', 300, '--random-seed', 7, '--max-tries', 1000,
			@files, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err});
	return \%run;
}

# Ends them; returns what went wrong there.
sub stop_clients
{
	my ($run) = @_;

	# Not INT, which a shell's background jobs and their children ignore.
	$run->{process}->signal('TERM');
	eval { $run->{process}->finish };
	return join("\n", grep { /error|fatal/i } split(/\n/, $run->{err}));
}

# Every process of the cluster, killed at once.
sub kill_all
{
	my ($node) = @_;

	open(my $file, '<', $node->data_dir . '/postmaster.pid') or die "no postmaster: $!";
	chomp(my $postmaster = <$file>);

	# Stopped, it starts no other child while we look for those that there are.
	kill('STOP', $postmaster);
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
	my ($node) = @_;
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

# A test: no backend crashed or complained of what it forgot.
sub no_crash
{
	my ($node, $name) = @_;

	my @lines = grep { /terminated by signal|PANIC:|TRAP:|WARNING:.* leak/ } split(/\n/, slurp_file($node->logfile));

	is(join("\n", @lines), '', $name // 'no backend crashed or leaked');
	return;
}

1;
