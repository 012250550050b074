#!/usr/bin/perl
# plans.pl
#     Does the planner take the fastest plan? Times every plan that can be forced, over a
#     matrix of table sizes, limits, radii and filters, and writes docs/benchmarks/plans.md.
#     `make bench-plans` calls it. The matrix is in plans.sql.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use File::Temp ();
use Getopt::Long ();
use POSIX ();

use Bench::Server;
use Bench::Shell qw(capture file_text note);

use constant DATABASE => 'plans';

my %option = (
	pg_config => 'pg_config',
	make => 'make',
	revision => 'unknown',
	user => 'postgres',
	tables => '1000x64 10000x64 10000x768 100000x64',
	seed => 0.5,
	runs => 5,
	output => "$FindBin::Bin/../../docs/benchmarks",
);
my $server;

Getopt::Long::GetOptions(\%option, map { "$_=s" } keys %option) or exit 2;
main();

sub main
{
	my $dir = File::Temp::tempdir('hashidx-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);

	$server = Bench::Server->with_hashidx($dir, \%option);
	$server->start(
		shared_buffers => "'1GB'",
		maintenance_work_mem => "'256MB'",
		random_page_cost => '1.1',
		jit => 'off',
		max_parallel_workers_per_gather => 0,
		autovacuum => 'off',
		client_min_messages => 'warning');
	measure();

	my $report = report();

	file_text("$option{output}/plans.md", $report);
	note("wrote $option{output}/plans.md");
	print $report;
	return;
}

sub measure
{
	$server->sql('postgres', 'CREATE DATABASE ' . DATABASE);
	capture($server->psql(DATABASE), '-c', 'CREATE EXTENSION hashidx', '-f',
		"$FindBin::Bin/plans.sql");
	for my $table (split ' ', $option{tables})
	{
		my ($rows, $dims) = split /x/, $table;

		note("plans: $rows rows of $dims dimensions");
		$server->sql(DATABASE, "CALL make_table('item_$table', $rows, $dims, $option{seed})",
			"CALL make_cells('item_$table', $rows, '$rows x $dims')");
	}
	note('plans: every plan of every cell');
	$server->sql(DATABASE, "CALL measure($option{runs})");
	return;
}

sub report
{
	my ($cpu) = capture('cat', '/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
	my ($load) = capture('cat', '/proc/loadavg') =~ /^(\S+)/;
	my ($summary, $total, $matrix) =
		map { $server->sql(DATABASE, "SELECT $_()") } qw(summary total matrix);
	my $about = join(', ', POSIX::strftime('%Y-%m-%d', gmtime), $cpu // 'processor unknown',
		$server->{version}, "hashidx $option{revision}", "$option{runs} runs", "load average $load");

	return <<"END";
# Plans: picked and fastest

Tables (rows x dimensions) of vectors in clusters, with their simhash codes, a category, and an index of
each access method; vectors of 768 dimensions are out of line. Each cell is asked with two queries; each of its plans that settings can force
is run in turns with the others (ten times as often if it takes less than a millisecond), and its fastest run counts, by the
processor's time. Everything is cached;
`random_page_cost` is 1.1, all else as PostgreSQL has it. A filter is a condition on the category
that keeps this share of the rows, and has a btree index.

Share of the queries in which the plan picked takes at most 1.5 times as long as the fastest: of plans that use
the same indexes (*index*), whichever way, and of plans exactly (*plan*: also bitmap or row by row, which the
server decides by prices of its own).

| method | query | table | index | plan |
|---|---|---|---|---|
$summary
$total

## The matrix

*share*: a range with a radius that keeps this share of the table. The factors are the worse of two queries: by
indexes, and by exact plans.

| method | table | query | filter | picked | fastest | index | plan |
|---|---|---|---|---|---|---|---|
$matrix

$about
END
}
