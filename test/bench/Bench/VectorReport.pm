# VectorReport.pm
#     What a run writes about a data set of vectors: tables in Markdown, and recall
#     against queries a second as SVG.

package Bench::VectorReport;

use strict;
use warnings;

use Bench::Report;
use Bench::RecallPlot;
use Bench::Shell qw(file_text note);
use Bench::Sweep;

# The goals' figures, from { method => what was measured }; see Report.pm.
my %figures = (
	pgvector95 => {
		text => 'queries/s at recall .95 over pgvector\'s',
		least => 1,
		value => sub { speedup($_[0], 'pgvector', .95) },
	},
	pgvector99 => {
		text => 'queries/s at recall .99 over pgvector\'s',
		least => 1,
		value => sub { speedup($_[0], 'pgvector', .99) },
	},
	hnswlib95 => {
		text => 'queries/s at recall .95, through SQL, over hnswlib\'s in process',
		least => 1,
		value => sub { speedup($_[0], 'hnswlib', .95) },
	},
	build => {
		text => 'pgvector\'s seconds to build over ours',
		least => 1,
		value => sub { quotient($_[0]{pgvector}{build_seconds}, $_[0]{hashidx}{build_seconds}) },
	},
	buffers95 => {
		text => 'buffers a query at recall .95',
		value => sub { Bench::Sweep::at_recall($_[0]{hashidx}{points}, .95, 'buffers') },
	},
	inserts => {
		text => 'single-row inserts a second over pgvector\'s',
		least => 1,
		value => sub { quotient(map { $_[0]{$_}{inserts}{qps} } qw(hashidx pgvector)) },
	},
	wal => {
		text => 'bytes of WAL a single-row insert over pgvector\'s',
		value => sub { quotient(map { $_[0]{$_}{inserts}{wal_bytes} } qw(hashidx pgvector)) },
	},
);

sub quotient
{
	my ($over, $under) = @_;

	return defined $over && defined $under ? $over / $under : undef;
}

sub speedup
{
	my ($results, $other, $recall) = @_;

	return quotient(map { Bench::Sweep::at_recall($results->{$_}{points} // [], $recall, 'qps') }
			('hashidx', $other));
}

sub write
{
	my ($dir, $set, $methods, $results, $about) = @_;
	my $path = "$dir/$set->{name}";
	my @measured = grep { $results->{ $_->{name} } } @$methods;
	my @parts = (
		"# $set->{title}\n\n$set->{about}\n",
		"![Recall and queries a second]($set->{name}.svg)\n",
		Bench::Report::goals($set, $results, \%figures),
		at_recalls(\@measured, $results),
		costs(\@measured, $results),
		(map { sweep($_, $results->{ $_->{name} }) } @measured),
		"## The run\n\n" . join('', map { "- $_\n" } @$about));

	file_text("$path.md", join("\n", @parts));
	file_text(
		"$path.svg",
		Bench::RecallPlot::svg(
			$set->{title}, $about->[0],
			map { { title => $_->{title}, points => $results->{ $_->{name} }{points} } } @measured));
	note("wrote $path.md and .svg");
	return;
}

sub at_recalls
{
	my ($methods, $results) = @_;
	my @recalls = (.90, .95, .98, .99);
	my @rows;

	for my $method (@$methods)
	{
		my $points = $results->{ $method->{name} }{points};

		push @rows,
			[ $method->{title},
			map { Bench::Report::figure(Bench::Sweep::at_recall($points, $_, 'qps')) } @recalls ];
	}
	return "## Queries a second at a recall of the 10 nearest\n\n"
		. Bench::Report::table([ 'method', map { sprintf('%.2f', $_) } @recalls ], @rows);
}

sub costs
{
	my ($methods, $results) = @_;
	my @rows;

	for my $method (@$methods)
	{
		my $result = $results->{ $method->{name} };

		push @rows,
			[ $method->{title},
			map { Bench::Report::figure($_) } @$result{qw(build_seconds bytes_per_row)},
			$result->{inserts}{qps}, $result->{inserts}{wal_bytes} ];
	}
	return "## Build, size, single-row inserts\n\n"
		. Bench::Report::table(
		[ 'method', 'seconds to build', 'bytes a row', 'inserts/s', 'WAL bytes an insert' ], @rows);
}

sub sweep
{
	my ($method, $result) = @_;
	my @rows;

	for my $point (@{ $result->{points} })
	{
		my $scan = $point->{as_meant} ? '' : ' (**other plan**)';

		push @rows,
			[ $point->{effort} . $scan, sprintf('%.4f', $point->{recall}),
			map { Bench::Report::figure($point->{$_}) } qw(qps p50_ms p99_ms cpu_ms buffers) ];
	}
	return "## $method->{title}\n\n"
		. Bench::Report::table(
		[ 'effort', 'recall', 'queries/s', 'p50 ms', 'p99 ms', 'CPU ms', 'buffers' ], @rows);
}

1;
