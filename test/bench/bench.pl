#!/usr/bin/perl
# bench.pl
#     Runs the benchmarks: makes a private server and data, measures hashidx and
#     whatever else is at hand in one run, writes the reports. See
#     docs/benchmarks.md; `make bench` calls it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use File::Temp ();
use Getopt::Long ();
use POSIX ();

use Bench::DataSet;
use Bench::Method;
use Bench::Report;
use Bench::Server;
use Bench::Shell qw(run capture note);
use Bench::Sweep;
use Bench::VectorReport;
use Bench::VectorSet;
use Bench::Writes;

my %option = (
	datasets => join(' ', Bench::DataSet::names(), Bench::VectorSet::names()),
	rows => 0,
	queries => 0,
	runs => 3,
	seconds => 3,
	simd => '',
	pgvector => '',
	pg_config => 'pg_config',
	make => 'make',
	cc => 'cc',
	cxx => 'c++',
	revision => 'unknown',
	user => 'postgres',
	output => "$FindBin::Bin/../../docs/benchmarks",
);

my $server;

Getopt::Long::GetOptions(\%option, map { "$_=s" } keys %option) or exit 2;
main();

sub main
{
	my $dir = File::Temp::tempdir('hashidx-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	my @cores = cores();

	chmod 0755, $dir;
	mkdir "$dir/bin";
	$server = Bench::Server->new(
		dir => $dir,
		pg_config => $option{pg_config},
		make => $option{make},
		user => $> == 0 ? $option{user} : undef,
		cpu => @cores > 1 ? $cores[0] : undef);

	my %bench = (
		server => $server,
		bin => "$dir/bin",
		runs => $option{runs},
		seconds => $option{seconds},
		pin => @cores > 1 ? [ 'taskset', '-c', $cores[1] ] : [],
		# On the server's core: a query of 0.1 ms costs less than waking another core.
		pin_beside => @cores > 0 ? [ 'taskset', '-c', $cores[0] ] : []);
	my %at_hand = (build_tools("$dir/bin"), install_extensions());
	my @methods = Bench::Method::available(\%at_hand, split(' ', $option{simd}));

	$server->start(settings());
	for my $name (split(' ', $option{datasets}))
	{
		my @sizes = (rows => $option{rows}, queries => $option{queries});
		my $set = Bench::VectorSet::get($name, $dir, @sizes)
			// Bench::DataSet::get($name, $dir, @sizes);

		if ($set->{needs} && !-e $set->{needs})
		{
			note("$name is left out: there is no \"$set->{needs}\" (dataset-fashion-mnist)");
			next;
		}
		if ($set->{vectors})
		{
			measure_vectors($set, \%bench, \%at_hand);
		}
		else
		{
			measure($set, \%bench, \%at_hand, @methods);
		}
	}
	return;
}

# Up to two cores that we may run on.
sub cores
{
	my @cores;

	for my $core (0 .. 1023)
	{
		push @cores, $core
			if system("taskset -c $core true 2>/dev/null") == 0;
		last if @cores == 2;
	}
	return @cores;
}

# Compiles the programs of the bench; faiss's only if its headers are there.
# Returns what is at hand.
sub build_tools
{
	my ($dir) = @_;
	my $src = $FindBin::Bin;
	my @flags = qw(-O3 -march=native -Wall -Wextra);
	my @shared = map { "$dir/$_.o" } qw(measure rows);
	my @libpq = ('-I' . $server->ask_pg_config('--includedir'),
		'-L' . $server->ask_pg_config('--libdir'), '-lpq');

	run($option{cc}, '-std=gnu11', @flags, '-c', '-o', "$dir/$_.o", "$src/$_.c")
		for qw(measure rows);
	run($option{cc}, '-std=gnu11', @flags, '-o', "$dir/data", "$src/data.c", "$dir/rows.o", '-lm');
	run($option{cc}, '-std=gnu11', @flags, '-o', "$dir/client", "$src/client.c", @shared, @libpq,
		'-lm');

	return (
		build_library('faiss_flat', 'faiss/IndexBinaryFlat.h', 'libfaiss-dev', $dir, \@flags,
			qw(-lfaiss -llapack -lblas -fopenmp -lm)),
		build_library('hnswlib_graph', 'hnswlib/hnswlib.h', 'libhnswlib-dev', $dir, \@flags,
			qw(-pthread -lm)));
}

# A program that measures a library, if its headers are there.
sub build_library
{
	my ($program, $header, $package, $dir, $flags, @libraries) = @_;

	if (system("echo '#include <$header>' | $option{cxx} -E -x c++ - >/dev/null 2>&1") != 0)
	{
		note("$program is left out: there is no <$header> ($package)");
		return ();
	}
	run($option{cxx}, @$flags, '-o', "$dir/$program", "$FindBin::Bin/$program.cpp",
		"$dir/measure.o", "$dir/rows.o", @libraries);
	return ($program => 1);
}

sub install_extensions
{
	my $have_vector;

	$server->install("$FindBin::Bin/../..");
	$server->install($option{pgvector}, 'OPTFLAGS=') if $option{pgvector};
	$have_vector = $server->has_extension('vector');
	note('pgvector is left out: not installed, and no PGVECTOR=directory given') if !$have_vector;
	return (hashidx => 1, vector => $have_vector);
}

# The rest is PostgreSQL's defaults: fsync is on.
sub settings
{
	my ($kilobytes) = file('/proc/meminfo') =~ /^MemTotal:\s*(\d+)/m;
	my $quarter = ($kilobytes // 4 * 1024**2) / 1024 / 4;

	return (
		shared_buffers => sprintf("'%dMB'", $quarter < 4096 ? $quarter : 4096),
		jit => 'off',
		max_parallel_workers_per_gather => 0,
		autovacuum => 'off',
		max_wal_size => "'8GB'",
		checkpoint_timeout => "'1h'",
		client_min_messages => 'warning',
	);
}

# One data set: every workload by every method, then the writes, then the report.
sub measure
{
	my ($set, $bench, $at_hand, @methods) = @_;
	my %results;

	Bench::DataSet::prepare($set, $server, "$bench->{bin}/data", $at_hand->{vector});

	my $about = about($set, $bench, $at_hand);

	$results{build} = Bench::Writes::build($set, $bench);
	for my $workload (@{ $set->{workloads} })
	{
		$results{queries}{ $workload->{name} } =
			Bench::Method::measure_all(\@methods, $workload, $set, $bench);
	}
	$results{inserts} = Bench::Writes::inserts($set, $bench) if $set->{inserts};
	run('mkdir', '-p', $option{output});
	Bench::Report::write($option{output}, $set, \@methods, \%results, $about);
	Bench::DataSet::drop($set, $server);
	return;
}

# One set of vectors: each method in turn is built, measured at all its efforts, written to
# and dropped, so that only one index has to fit the memory.
sub measure_vectors
{
	my ($set, $bench, $at_hand) = @_;
	my @methods = Bench::Sweep::available($at_hand);
	my %results;

	Bench::VectorSet::prepare($set, $server, "$bench->{bin}/data", $at_hand->{vector});

	my $about = about($set, $bench, $at_hand);

	for my $method (@methods)
	{
		my $result = $results{ $method->{name} } = Bench::Sweep::measure($method, $set, $bench);

		$result->{inserts} = Bench::Sweep::inserts($method, $set, $bench);
		Bench::Sweep::drop($method, $set, $bench);
	}
	run('mkdir', '-p', $option{output});
	Bench::VectorReport::write($option{output}, $set, \@methods, \%results, $about);
	Bench::DataSet::drop($set, $server);
	return;
}

# A file's text; nothing where there is no such file.
sub file
{
	my ($path) = @_;

	return -e $path ? capture('cat', $path) : '';
}

# Where, when and of what: the lines of a report's end.
sub about
{
	my ($set, $bench, $at_hand) = @_;
	my ($cpu) = file('/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
	my ($load) = file('/proc/loadavg') =~ /^(\S+)/;
	my $simd = $server->sql($set->{name}, 'SELECT hashidx_simd()');
	my @lines = (
		join(', ', POSIX::strftime('%Y-%m-%d', gmtime), $cpu // 'processor unknown',
			$server->{version}, "hashidx $option{revision} ($simd)"));

	push @lines, 'pgvector '
		. $server->sql($set->{name}, q{SELECT extversion FROM pg_extension WHERE extname = 'vector'})
		if $at_hand->{vector};
	push @lines, 'faiss ' . faiss_version() if $at_hand->{faiss_flat};
	push @lines, "One connection, prepared statement, everything in shared buffers; "
		. "runs: $bench->{runs}, of about $bench->{seconds} s at most, the methods in turns";
	push @lines, $set->{vectors} ? 'Server and client share a core'
		: @{ $bench->{pin} } ? 'Server and client on a core each'
		: 'Server and client share the only core';
	push @lines, "Load average of the machine at the start: $load" if defined $load;
	return \@lines;
}

sub faiss_version
{
	my $text = capture('sh', '-c',
		"printf '#include <faiss/Index.h>\\n"
			. "V FAISS_VERSION_MAJOR FAISS_VERSION_MINOR FAISS_VERSION_PATCH\\n' "
			. "| $option{cxx} -E -x c++ - | tail -1");

	return join('.', $text =~ /(\d+)/g);
}
