#!/usr/bin/perl
# ranges.pl
#     Ranges, joins and inserts by the chunk tables of hashidx_hamming, beside the same index
#     without: random codes, and codes that models make of Fashion-MNIST. Writes
#     docs/benchmarks/ranges.md. `make bench-ranges` calls it. The statements are in ranges.sql.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use File::Temp ();
use Getopt::Long ();
use POSIX ();

use Bench::Server;
use Bench::Shell qw(run capture file_text note);

use constant DATABASE => 'ranges';
use constant IMAGES => '/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz';

# Radii in steps, small where the one way gives way to the other.
my $radii64 = '0,3,6,8,10,12,13,14,15,16,17,18,20,24,28,32,64';
my $real64 = '0,2,4,6,8,9,10,11,12,13,14,16,18,20,24,32,48,64';
my $radii256 = '0,8,16,24,32,36,40,44,48,52,56,60,64,72,80,96,128,192,256';

my %option = (
	pg_config => 'pg_config',
	make => 'make',
	cc => 'cc',
	revision => 'unknown',
	user => 'postgres',
	rows => 10_000_000,
	pictures => 1_000_000,
	runs => 3,
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
		maintenance_work_mem => "'1GB'",
		jit => 'off',
		max_parallel_workers_per_gather => 0,
		autovacuum => 'off',
		fsync => 'off',
		enable_seqscan => 'off',
		enable_bitmapscan => 'off',
		client_min_messages => 'warning');
	$server->sql('postgres', 'CREATE DATABASE ' . DATABASE);
	capture($server->psql(DATABASE), '-c', 'CREATE EXTENSION hashidx', '-f', "$FindBin::Bin/ranges.sql");
	measure_random();
	if (-e IMAGES)
	{
		measure_pictures($dir);
	}
	else
	{
		note('ranges: without "' . IMAGES . '" (dataset-fashion-mnist)');
	}
	file_text("$option{output}/ranges.md", report());
	note("wrote $option{output}/ranges.md");
	return;
}

sub measure_random
{
	note("ranges: $option{rows} random codes");
	$server->sql(DATABASE, "CALL make_random('random64', $option{rows})");
	measure('random64', $radii64);
	note('ranges: joins and inserts');
	$server->sql(DATABASE, 'CALL measure_joins()', 'CALL measure_inserts(64)');
	return;
}

# Codes that models make of many pictures, themselves made of the few there are.
sub measure_pictures
{
	my ($dir) = @_;
	my $psql = join(' ', map { "'$_'" } $server->psql(DATABASE));

	note("ranges: $option{pictures} pictures");
	run($option{cc}, '-std=gnu11', '-O2', '-o', "$dir/pictures",
		map({ "$FindBin::Bin/$_.c" } qw(pictures rows)), '-lm');
	$server->sql(DATABASE, 'CREATE UNLOGGED TABLE picture (id integer, v qvec(784, int8))');
	run('bash', '-c', "set -e -o pipefail; gzip -dc '" . IMAGES . "' | '$dir/pictures' $option{pictures} 7"
			. " | $psql -c 'COPY picture FROM STDIN (FORMAT binary)'");
	for my $set ([ 'itq', 256, $radii256 ], [ 'itq', 64, $real64 ], [ 'pca', 64, $real64 ])
	{
		my ($kind, $bits, $radii) = @$set;

		note("ranges: $kind, $bits bits");
		$server->sql(DATABASE, "CALL make_codes('$kind$bits', '$kind', $bits)");
		measure("$kind$bits", $radii);
	}
	$server->sql(DATABASE, 'CALL measure_inserts(256)');
	return;
}

sub measure
{
	my ($name, $radii) = @_;

	$server->sql(DATABASE, "VACUUM ANALYZE $name", "CALL make_indexes('$name')",
		"CALL measure('$name', '{$radii}', $option{runs}, 0.2)");
	return;
}

sub report
{
	my ($cpu) = capture('cat', '/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
	my ($load) = capture('cat', '/proc/loadavg') =~ /^(\S+)/;
	my $simd = $server->sql(DATABASE, 'SELECT hashidx_simd()');
	my ($ranges, $others) = map { $server->sql(DATABASE, "SELECT $_()") } qw(range_lines other_lines);
	my $about = join(', ', POSIX::strftime('%Y-%m-%d', gmtime), $cpu // 'processor unknown',
		$server->{version}, "hashidx $option{revision} ($simd)", "$option{runs} runs", "load average $load");

	return <<"END";
# Ranges by chunk tables, and without

`SELECT count(*) FROM codes WHERE hamming_within(code, query, radius)` with an index WITH (method = mih) and one WITH
(method = scan), as index-only scans; queries are codes of rows. Milliseconds of processor time of a query, planning included; the
ratio is that of a run, in which both are asked in turns; medians of the runs.

| codes | radius | rows found | chunk tables, ms | scan, ms | ratio |
|---|---:|---:|---:|---:|---:|
$ranges

*random64*: uniformly random, $option{rows} rows, of which a hundredth are others with 1 to 6 bits flipped. The others: what
`hashidx_train` and `hashidx_encode` make of $option{pictures} pictures, which are the 60,000 of Fashion-MNIST mirrored, cut, stretched,
shifted and with noise (`test/bench/pictures.c`).

## Joins and inserts

Seconds and rows a second of processor time.

| what | measured |
|---|---:|
$others

$about
END
}
