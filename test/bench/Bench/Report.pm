# Report.pm
#     What a run writes about a data set: tables in Markdown and a plot in SVG.

package Bench::Report;

use strict;
use warnings;

use Bench::Plot;
use Bench::Shell qw(file_text note);

# The goals' figures: their text, their value from the results, and whether the
# goal is the most or the least it should be.
my %figures = (
	speedup => {
		text => '10 nearest: times faster than pgvector\'s sequential scan',
		least => 1,
		value => sub { ratio($_[0], 'nearest10', 'pgvector_seq', 'hashidx') },
	},
	faiss => {
		text => '10 nearest: times the time of faiss IndexBinaryFlat',
		value => sub { ratio($_[0], 'nearest10', 'hashidx', 'faiss') },
	},
	build => {
		text => 'seconds to build, beyond the scan of the table',
		value => sub { $_[0]{build}{build_seconds} - $_[0]{build}{scan_seconds} },
	},
	size => {
		text => 'bytes of the index a row, over the code\'s bytes + 6',
		value => sub { $_[0]{build}{bytes_per_row} / ($_[0]{build}{code_bytes} + 6) },
	},
	inserts => {
		text => 'rows inserted a second, in one transaction',
		least => 1,
		value => sub { $_[0]{inserts} && $_[0]{inserts}{with}{bulk} },
	},
);

# Median latency of one method over another's; undef when one was left out, or
# the planner chose another plan.
sub ratio
{
	my ($results, $workload, $over, $under) = @_;
	my ($x, $y) = map { $results->{queries}{$workload}{$_} } ($over, $under);

	return $x && $y && $x->{as_meant} && $y->{as_meant} ? $x->{p50_ms} / $y->{p50_ms} : undef;
}

# results: { queries => { workload => { method => measured } }, build, inserts };
# about: lines that say where, when and of what.
sub write
{
	my ($dir, $set, $methods, $results, $about) = @_;
	my $path = "$dir/$set->{name}";
	my @parts = (
		"# $set->{title}\n\n$set->{about}\n",
		"![Latencies]($set->{name}.svg)\n",
		queries($set, $methods, $results),
		build($results->{build}),
		inserts($results->{inserts}),
		goals($set, $results, \%figures),
		"## The run\n\n" . join('', map { "- $_\n" } @$about));

	file_text("$path.md", join("\n", grep { defined } @parts));
	file_text("$path.svg", plot($set, $methods, $results, $about));
	note("wrote $path.md and .svg");
	return;
}

sub workload_title
{
	my ($workload) = @_;

	return $workload->{k} ? "$workload->{k} nearest" : "within $workload->{radius} bits";
}

# The methods that answered a workload: [ method, what was measured ].
sub answered
{
	my ($methods, $measured) = @_;

	return map { $measured->{ $_->{name} } ? [ $_, $measured->{ $_->{name} } ] : () } @$methods;
}

sub plot
{
	my ($set, $methods, $results, $about) = @_;
	my @groups;

	for my $workload (@{ $set->{workloads} })
	{
		my @answered = answered($methods, $results->{queries}{ $workload->{name} });

		push @groups,
			{
			title => workload_title($workload),
			rows => [ map { plot_row(@$_) } @answered ],
			};
	}
	return Bench::Plot::svg("$set->{title}: exact search", $about->[0], @groups);
}

sub plot_row
{
	my ($method, $m) = @_;
	my $title = $method->{title} . ($m->{as_meant} ? '' : ' (other plan)');

	return { title => $title, p50 => $m->{p50_ms}, p99 => $m->{p99_ms} };
}

sub queries
{
	my ($set, $methods, $results) = @_;
	my $text = "## Queries\n";

	for my $workload (@{ $set->{workloads} })
	{
		my @answered = answered($methods, $results->{queries}{ $workload->{name} });

		$text .= "\n### " . ucfirst(workload_title($workload)) . "\n\n"
			. table(
			[ 'method', 'queries a run', 'queries/s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms',
				'buffers', 'rows', 'recall', 'scan' ],
			map { [ query_row(@$_) ] } @answered);
	}
	return $text;
}

sub query_row
{
	my ($method, $m) = @_;
	my $scan = $m->{scan} // '';

	$scan .= ' (**not as meant**)' if !$m->{as_meant};
	$scan .= " (**$m->{wrong} wrong rows**)" if $m->{wrong};
	return ($method->{title}, map({ figure($m->{$_}) } qw(queries qps p50_ms p95_ms p99_ms cpu_ms)),
		figure($m->{buffers}), figure($m->{rows}), sprintf('%.4f', $m->{recall}), $scan);
}

sub build
{
	my ($build) = @_;

	return "## Build and size\n\n"
		. table(
		[ 'scan of the table, s', 'CREATE INDEX, s', 'beyond the scan, s', 'bytes a row',
			'bytes of the code' ],
		[ map { figure($_) } @$build{qw(scan_seconds build_seconds)},
			$build->{build_seconds} - $build->{scan_seconds},
			@$build{qw(bytes_per_row code_bytes)} ]);
}

sub inserts
{
	my ($inserts) = @_;

	return undef if !$inserts;
	return "## Inserts\n\n"
		. table(
		[ '', 'rows/s in one transaction', 'WAL bytes a row', 'rows/s in single commits' ],
		map {
			[ "$_ the index", map { figure($_) } @{ $inserts->{$_} }{qw(bulk wal_bytes single)} ]
		} qw(without with));
}

# The goals of a set, whose figures are found by name.
sub goals
{
	my ($set, $results, $known) = @_;
	my @rows;

	for my $goal (@{ $set->{goals} })
	{
		my ($name, $limit) = @$goal;
		my $figure = $known->{$name};
		my $value = $figure->{value}->($results);
		my $verdict = !defined $value ? 'not measured'
			: ($figure->{least} ? $value >= $limit : $value <= $limit) ? 'met' : '**missed**';

		push @rows, [ $figure->{text}, ($figure->{least} ? 'at least ' : 'at most ') . $limit,
			figure($value), $verdict ];
	}
	return "## Goals\n\n" . table([ 'figure', 'goal', 'measured', '' ], @rows);
}

sub table
{
	my ($head, @rows) = @_;

	return join('', map { '| ' . join(' | ', @$_) . " |\n" }
			$head, [ ('---') x @$head ], @rows);
}

# Three significant digits, or all of those before the point.
sub figure
{
	my ($x) = @_;

	return '' if !defined $x;
	return $x >= 100 ? sprintf('%.0f', $x) : sprintf('%.3g', $x);
}

1;
