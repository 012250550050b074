# Sweep.pm
#     Approximate search over a range of efforts: what recall each effort gives,
#     and how many queries a second.

package Bench::Sweep;

use strict;
use warnings;

use JSON::PP ();

use Bench::Method;
use Bench::Shell qw(capture note);
use Bench::VectorSet;

# needs: the extension, or the program. %s in setup: the effort.
my @methods = (
	{
		name => 'hashidx',
		title => 'hashidx_hnsw',
		needs => 'hashidx',
		table => 'items',
		access_method => 'hashidx_hnsw (embedding)',
		efforts => [ 10, 12, 16, 20, 28, 40, 56, 80, 112, 160, 240, 320, 480, 640 ],
		setup => 'SET hashidx.ef_search = %s',
	},
	{
		name => 'hashidx64',
		title => 'hashidx_hnsw, m = 64',
		needs => 'hashidx',
		table => 'items',
		access_method => 'hashidx_hnsw (embedding) WITH (m = 64)',
		efforts => [ 10, 12, 16, 20, 28, 40, 56, 80, 112, 160, 240 ],
		setup => 'SET hashidx.ef_search = %s',
	},
	{
		name => 'pgvector',
		title => 'pgvector HNSW, m = 16, ef_construction = 200',
		needs => 'vector',
		table => 'vectors',
		access_method => 'hnsw (embedding vector_l2_ops) WITH (m = 16, ef_construction = 200)',
		efforts => [ 10, 20, 40, 80, 120, 200, 400, 800 ],
		setup => 'SET hnsw.ef_search = %s',
	},
	{
		name => 'hnswlib',
		title => 'hnswlib in process, M = 16, efConstruction = 200',
		needs => 'hnswlib_graph',
		efforts => [ 10, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640 ],
	},
);

sub available
{
	my ($at_hand) = @_;

	return grep { $at_hand->{ $_->{needs} } } @methods;
}

# Builds a method's index, with as many threads or workers as the machine has cores, and measures
# it at its efforts. Returns { build_seconds, bytes_per_row, points => [...] }.
sub measure
{
	my ($method, $set, $bench) = @_;

	note("$set->{name}: $method->{title}");
	return measure_library($method, $set, $bench) if !$method->{table};

	my $built = build($method, $set, $bench);
	my @points;

	for (1 .. $bench->{runs})
	{
		my $i = 0;

		for my $effort (@{ $method->{efforts} })
		{
			push @{ $points[ $i++ ] }, ask($method, $effort, $set, $bench);
		}
	}
	return { %$built, points => [ map { Bench::Method::middle(@$_) } @points ] };
}

sub build
{
	my ($method, $set, $bench) = @_;
	my ($server, $name) = ($bench->{server}, $set->{name});
	my $index = "$method->{name}_idx";
	my $seconds = $server->seconds(
		$name, "SET maintenance_work_mem = '8GB'", 'SET max_parallel_maintenance_workers = 1',
		"CREATE INDEX $index ON $method->{table} USING $method->{access_method}");
	my $bytes = $server->sql($name, "SELECT pg_relation_size('$index')");

	$server->sql($name, "VACUUM ANALYZE $method->{table}", 'CHECKPOINT');
	return { build_seconds => $seconds, bytes_per_row => $bytes / $set->{rows} };
}

# Leaves the table as it was: the rows that inserts() added have the id 0.
sub drop
{
	my ($method, $set, $bench) = @_;
	my ($table, $name) = ($method->{table}, $set->{name});

	$bench->{server}->sql($name, "DROP INDEX $method->{name}_idx",
		"DELETE FROM $table WHERE id = 0", "VACUUM $table")
		if $table;
	return;
}

# The options of measure.c for a set.
sub task
{
	my ($set, $bench) = @_;
	my $dir = $set->{dir};

	return ('-q', "$dir/queries", '-b', "$dir/base", '-t', "$dir/truth",
		'-k', Bench::VectorSet::NEIGHBOURS(), '-s', $bench->{seconds});
}

sub ask
{
	my ($method, $effort, $set, $bench) = @_;
	my $result = JSON::PP::decode_json(
		capture(
			@{ $bench->{pin_beside} }, "$bench->{bin}/client",
			'-d', $bench->{server}->conninfo($set->{name}),
			'-e', sprintf($method->{setup}, $effort),
			'-c', "SELECT id FROM $method->{table} ORDER BY embedding <-> \$1 LIMIT "
				. Bench::VectorSet::NEIGHBOURS(),
			task($set, $bench)));

	$result->{effort} = $effort;
	$result->{as_meant} = $result->{scan} =~ /^Index Scan using $method->{name}_idx/ ? 1 : 0;
	return $result;
}

sub measure_library
{
	my ($method, $set, $bench) = @_;
	my $result = JSON::PP::decode_json(
		capture(@{ $bench->{pin_beside} }, "$bench->{bin}/$method->{needs}",
			'-e', join(',', @{ $method->{efforts} }), '-r', $bench->{runs}, task($set, $bench)));
	my @points = map { Bench::Method::middle(@$_) } @{ $result->{points} };

	for my $i (0 .. $#points)
	{
		$points[$i]{effort} = $method->{efforts}[$i];
		$points[$i]{as_meant} = 1;
	}
	return { build_seconds => $result->{build_seconds}, points => \@points };
}

# Rows inserted one by one, each committed, into the indexed table; and the WAL they cost,
# full-page images included.
sub inserts
{
	my ($method, $set, $bench) = @_;
	my ($server, $name) = ($bench->{server}, $set->{name});

	return undef if !$method->{table};

	my $before = $server->sql($name, 'SELECT pg_current_wal_insert_lsn()');
	my $result = JSON::PP::decode_json(
		capture(
			@{ $bench->{pin_beside} }, "$bench->{bin}/client",
			'-d', $server->conninfo($name),
			'-c', "INSERT INTO $method->{table} VALUES (0, \$1)",
			'-q', "$set->{dir}/fresh", '-s', $bench->{seconds}));
	my $wal = $server->sql($name, "SELECT pg_current_wal_insert_lsn() - '$before'::pg_lsn");

	return { qps => $result->{qps}, wal_bytes => $wal / $result->{queries} };
}

# Queries a second at a recall, and any other figure, between the two points around it (QPS
# on a logarithmic scale); undef when no effort reached it.
sub at_recall
{
	my ($points, $recall, $figure) = @_;
	my @sorted = sort { $a->{effort} <=> $b->{effort} } grep { $_->{as_meant} } @$points;

	for my $i (0 .. $#sorted)
	{
		my ($below, $above) = @sorted[ $i - 1, $i ];

		next if $above->{recall} < $recall;
		return $above->{$figure} if $i == 0 || $above->{recall} == $below->{recall};

		my $share = ($recall - $below->{recall}) / ($above->{recall} - $below->{recall});

		return exp((1 - $share) * log($below->{$figure}) + $share * log($above->{$figure}));
	}
	return undef;
}

1;
