# Method.pm
#     The ways of answering a workload: a query in some extension's SQL with
#     some settings, or a library in a process of its own.

package Bench::Method;

use strict;
use warnings;

use JSON::PP ();

use Bench::Shell qw(capture note median);

# needs: the extension, or the program. sql: the question for a number of
# neighbours or a radius, %s. scan: the plan that makes the method what it says.
my @methods = (
	{
		name => 'hashidx',
		title => 'hashidx_hamming index',
		needs => 'hashidx',
		index => 1,
		nearest => 'SELECT id FROM codes ORDER BY code <~> $1 LIMIT %s',
		within => 'SELECT id FROM codes WHERE hamming_within(code, $1, %s)',
		scan => qr/^(Index Scan using|Bitmap Index Scan on) codes_code_idx/,
	},
	{
		name => 'hashidx_seq',
		title => 'hashidx, sequential scan',
		needs => 'hashidx',
		setup => [ 'SET enable_indexscan = off', 'SET enable_bitmapscan = off' ],
		nearest => 'SELECT id FROM codes ORDER BY code <~> $1 LIMIT %s',
		within => 'SELECT id FROM codes WHERE hamming_within(code, $1, %s)',
		scan => qr/^Seq Scan on codes/,
	},
	{
		name => 'pgvector_seq',
		title => 'pgvector, sequential scan',
		needs => 'vector',
		nearest => 'SELECT id FROM bits ORDER BY code <~> $1 LIMIT %s',
		within => 'SELECT id FROM bits WHERE code <~> $1 <= %s',
		scan => qr/^Seq Scan on bits/,
	},
	{
		name => 'faiss',
		title => 'faiss IndexBinaryFlat, in process',
		needs => 'faiss_flat',
	},
);

# The methods that the extensions and programs at hand (a set of names) allow;
# the index once more at each forced SIMD level.
sub available
{
	my ($at_hand, @levels) = @_;
	my @found = grep { $at_hand->{ $_->{needs} } } @methods;
	my ($index) = grep { $_->{index} } @found;

	for my $level (@levels)
	{
		push @found,
			{
			%$index,
			name => "hashidx_$level",
			title => "hashidx_hamming index, $level",
			setup => ["SET hashidx.simd = '$level'"],
			};
	}
	return @found;
}

# Measures the methods on one workload, in turns, so that whatever else the machine
# does disturbs all of them. Returns { method => the median of each figure }.
sub measure_all
{
	my ($methods, $workload, $set, $bench) = @_;
	my %results;

	for (1 .. $bench->{runs})
	{
		push @{ $results{ $_->{name} } }, measure($_, $workload, $set, $bench) for @$methods;
	}
	return { map { $_ => middle(@{ $results{$_} }) } keys %results };
}

# The median of each number; texts are the same in all results.
sub middle
{
	my @results = @_;
	my %middle = %{ $results[0] };

	for my $name (grep { $_ ne 'scan' } keys %middle)
	{
		$middle{$name} = median(map { $_->{$name} } @results);
	}
	return \%middle;
}

# Measures one method once. Returns what measure.c and client.c print, and
# whether the plan is the one meant.
sub measure
{
	my ($method, $workload, $set, $bench) = @_;
	my $dir = $set->{dir};
	my @task = (
		'-q', "$dir/$workload->{queries}", '-b', "$dir/base", '-t', "$dir/$workload->{name}.truth",
		'-s', $bench->{seconds}, $workload->{k} ? ('-k', $workload->{k}) : ('-w', $workload->{radius}));
	my @command;

	note("$set->{name}: $workload->{name}: $method->{title}");
	if ($method->{nearest})
	{
		my $sql = sprintf($workload->{k} ? $method->{nearest} : $method->{within},
			$workload->{k} // $workload->{radius});

		@command = ("$bench->{bin}/client", '-d', $bench->{server}->conninfo($set->{name}),
			(map { ('-e', $_) } @{ $method->{setup} // [] }), '-c', $sql, @task);
	}
	else
	{
		@command = ("$bench->{bin}/$method->{needs}", @task);
	}

	my $result = JSON::PP::decode_json(capture(@{ $bench->{pin} }, @command));

	$result->{as_meant} = !$method->{scan} || $result->{scan} =~ $method->{scan} ? 1 : 0;
	return $result;
}

1;
