#!/usr/bin/perl
# packages.pl
#     Near-duplicates among the descriptions of all packages in Debian's own package list, by
#     the index, by GIN indexes and exactly, in one run; writes docs/benchmarks/packages.md.
#     `make bench` calls it. The commands are in packages.sql.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use File::Temp ();
use Getopt::Long ();
use POSIX ();

use Bench::Server;
use Bench::Shell qw(run capture file_text note);

my %option = (
	pg_config => 'pg_config',
	make => 'make',
	revision => 'unknown',
	user => 'postgres',
	output => "$FindBin::Bin/../../docs/benchmarks",
);
my $database = 'packages';
my ($server, %seconds);

$SIG{$_} = sub { die "interrupted\n" } for qw(INT TERM HUP);

END
{
	my $status = $?;

	eval { $server->stop; 1 } or warn $@ if $server;
	$? = $status;
}

Getopt::Long::GetOptions(\%option, map { "$_=s" } keys %option) or exit 2;
main();

sub main
{
	my $dir = File::Temp::tempdir('hashidx-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);

	chmod 0755, $dir;

	my $lists = find_lists($dir);

	if (!defined $lists)
	{
		note("packages is left out: there is no list of Debian's packages with descriptions");
		return;
	}
	write_rows($lists, "$dir/package.tsv");

	$server = Bench::Server->new(
		dir => $dir,
		pg_config => $option{pg_config},
		make => $option{make},
		user => $> == 0 ? $option{user} : undef);
	$server->install("$FindBin::Bin/../..");
	$server->start(
		shared_buffers => "'1GB'",
		work_mem => "'256MB'",
		maintenance_work_mem => "'256MB'",
		jit => 'off',
		max_parallel_workers_per_gather => 0,
		autovacuum => 'off',
		client_min_messages => 'warning',
		'hashidx.recall' => 0.99);
	load($dir);
	measure();
	file_text("$option{output}/packages.md", report());
	note("wrote $option{output}/packages.md");
	return;
}

# The folder with apt's lists, of which both kinds are needed; without descriptions they are
# fetched into $dir, by apt and from where it always does.
sub find_lists
{
	my ($dir) = @_;
	my $own = '/var/lib/apt/lists';

	return $own if has_lists($own);
	mkdir "$dir/lists";
	mkdir "$dir/lists/partial";
	eval
	{
		run('apt-get', 'update', '-qq', '-o', 'Acquire::Languages=en', '-o',
			"Dir::State::lists=$dir/lists", '-o', 'Dir::Cache::pkgcache=', '-o',
			'Dir::Cache::srcpkgcache=');
		1;
	} or return;
	return has_lists("$dir/lists") ? "$dir/lists" : undef;
}

sub has_lists
{
	my ($dir) = @_;

	return glob("$dir/*_Packages*") && glob("$dir/*_Translation-en*");
}

# Calls $each with the fields of each stanza of the lists.
sub read_stanzas
{
	my ($pattern, $each) = @_;

	for my $file (glob $pattern)
	{
		open(my $in, '-|', '/usr/lib/apt/apt-helper', 'cat-file', $file)
			or die "cannot read \"$file\": $!\n";
		local $/ = '';
		while (my $stanza = <$in>)
		{
			my (%field, $name);

			for my $line (split /\n/, $stanza)
			{
				if ($line =~ /^([\w-]+): ?(.*)/)
				{
					$name = $1;
					$field{$name} = $2;
				}
				elsif (defined $name)
				{
					$field{$name} .= "\n" . $line =~ s/^ \.?//r;
				}
			}
			$each->(\%field);
		}
		close($in) or die "cannot read \"$file\"\n";
	}
	return;
}

# Rows for COPY: name, source package and description of every package.
sub write_rows
{
	my ($lists, $path) = @_;
	my (%source, %seen);

	read_stanzas("$lists/*_Packages*", sub {
		my ($field) = @_;
		my ($source) = split / /, $field->{Source} // $field->{Package};

		$source{ $field->{Package} } //= $source;
	});
	open(my $out, '>', $path) or die "cannot write \"$path\": $!\n";
	read_stanzas("$lists/*_Translation-en*", sub {
		my ($field) = @_;
		my $name = $field->{Package};
		my $text = $field->{'Description-en'};

		return if $seen{$name}++ || !defined $source{$name} || !defined $text;
		$text =~ s/\\/\\\\/g;
		$text =~ s/\n/\\n/g;
		$text =~ s/\t/ /g;
		print $out join("\t", $name, $source{$name}, $text), "\n";
	});
	close($out) or die "cannot write \"$path\": $!\n";
	return;
}

sub load
{
	my ($dir) = @_;

	chmod 0644, "$dir/package.tsv";
	$server->sql('postgres', "CREATE DATABASE $database");
	$server->sql($database, 'CREATE EXTENSION hashidx',
		'CREATE TABLE package (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, '
			. 'source text, description text, shingles bigint[])',
		"\\copy package (name, source, description) from '$dir/package.tsv'");
	return;
}

# The commands of packages.sql by name.
sub commands
{
	open(my $in, '<', "$FindBin::Bin/packages.sql") or die "no packages.sql: $!\n";
	my $text = do { local $/ = undef; <$in> };
	my (undef, @parts) = split /^-- (\w+)\n/m, $text;

	return @parts;
}

sub measure
{
	my $trgm = $server->has_extension('pg_trgm');
	my @parts = commands();

	$server->sql($database, 'CREATE EXTENSION pg_trgm') if $trgm;
	while (my ($name, $command) = splice(@parts, 0, 2))
	{
		next if $name =~ /^trgm/ && !$trgm;
		note("packages: $name");
		file_text("$server->{dir}/command.sql", $command);

		my $begin = [ POSIX::times() ]->[0];

		$server->sql($database, "\\i $server->{dir}/command.sql");
		$seconds{$name} = ([ POSIX::times() ]->[0] - $begin) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
	}
	note('packages: walk');
	$seconds{walk} = $server->seconds($database,
		q{CREATE TABLE walked AS SELECT * FROM hashidx_pairs('package_shingles', 0.2)});
	return;
}

sub number
{
	my ($query) = @_;

	return $server->sql($database, "SELECT $query");
}

sub thousands
{
	my ($number) = @_;

	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}

sub report
{
	my $rows = number('count(*) FROM package');
	my $exact = number('count(*) FROM exact');
	my $join = number('count(*) FROM pair');
	my $walked = number('count(*) FROM walked');
	my $found = number('count(*) FROM exact JOIN pair USING (a, b)');
	my $met = number('count(*) FROM exact JOIN candidate USING (a, b)');
	my $candidates = number('count(*) FROM candidate');
	my $groups = number('count(DISTINCT leader) FROM member');
	my $largest = number('max(n) FROM (SELECT count(*) AS n FROM member GROUP BY leader) g');
	my $nested = $seconds{nested} * $rows / 10 / 2;
	my ($cpu) = capture('cat', '/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
	my @rows = (
		[ 'join through hashidx_lsh', $seconds{join}, $join ],
		[ 'hashidx_pairs', $seconds{walk}, $walked ],
		[ 'exact, prefixes in plain SQL', $seconds{exact}, $exact ],
		[ 'exact, prefixes through GIN (with the prefixes at hand)', $seconds{gin_join}, $exact ],
		[ 'exact, nested loop (from 10 rows)', $nested, $exact ]);
	my @table = map
	{
		sprintf "| %s | %s | %s | %.4f |\n", $_->[0],
			$_->[1] < 100 ? sprintf('%.1f', $_->[1]) : thousands(sprintf '%.0f', $_->[1]),
			thousands($_->[2]), $_->[2] / $exact
	} @rows;

	return join '',
		"# Near-duplicates among package descriptions\n\n",
		join(', ', POSIX::strftime('%Y-%m-%d', gmtime), $cpu // 'processor unknown',
			$server->{version}, "hashidx $option{revision}"), ".\n",
		'Descriptions of ' . thousands($rows) . " packages, lower case, shingles of three words; ",
		"pairs at Jaccard similarity 0.8 or more; hashidx.recall 0.99; one process.\n\n",
		"| method | seconds | pairs | share of the exact pairs |\n|---|---:|---:|---:|\n", @table,
		"\n",
		sprintf("- Of the %s exact pairs the join finds %s (%.4f); %s of its pairs are false.\n",
			thousands($exact), thousands($found), $found / $exact, $join - $found),
		sprintf("- It is %.0f times as fast as the nested loop.\n", $nested / $seconds{join}),
		sprintf("- Making the shingles takes %.1f s, the index %.1f s, the GIN index %.1f s and "
			. "its prefixes %.1f s.\n", @seconds{qw(shingles index gin_index)},
			$seconds{exact} + $seconds{prefixes}),
		sprintf("- Groups: %s, the largest of %s packages; %.1f s.\n", thousands($groups),
			thousands($largest), $seconds{groups}),
		sprintf("- Blocking by 20 keys of 3 hashes, blocks of at most 1,000 rows: %s candidate pairs, "
			. "pair completeness %.4f, reduction ratio %.6f; %.1f s.\n", thousands($candidates),
			$met / $exact, 1 - $candidates / ($rows * ($rows - 1) / 2),
			$seconds{blocks} + $seconds{candidates}),
		(defined $seconds{trgm} ? sprintf("- pg_trgm, another measure (trigrams at 0.3): "
			. "%.0f s for the join, from 10 rows; its index %.1f s.\n",
			$seconds{trgm} * $rows / 10, $seconds{trgm_index}) : '');
}
