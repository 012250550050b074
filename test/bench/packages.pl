#!/usr/bin/perl
# packages.pl
#     Near-duplicates among the descriptions of all packages in Debian's own package list, by
#     the index, by GIN and GiST indexes and exactly, in one run; writes
#     docs/benchmarks/packages.md. `make bench` calls it. The commands are in packages.sql.
#     Times are the server process's CPU time, which other processes change less than the clock's.

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

Getopt::Long::GetOptions(\%option, map { "$_=s" } keys %option) or exit 2;
main();

sub main
{
	my $dir = File::Temp::tempdir('hashidx-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);

	my $lists = find_lists($dir);

	if (!defined $lists)
	{
		note("packages is left out: there is no list of Debian's packages with descriptions");
		return;
	}
	write_rows($lists, "$dir/package.tsv");

	$server = Bench::Server->with_hashidx($dir, \%option);
	$server->start(
		shared_buffers => "'1GB'",
		work_mem => "'256MB'",
		maintenance_work_mem => "'256MB'",
		jit => 'off',
		max_parallel_workers_per_gather => 0,
		max_parallel_maintenance_workers => 0,
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
		$seconds{$name} = $server->cpu_seconds($database, "\\i $server->{dir}/command.sql");
	}
	note('packages: walk');
	$seconds{walk} = $server->cpu_seconds($database,
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

# Of a table of pairs, in either order: how many are exact, and how many there are.
sub right_pairs
{
	my ($table) = @_;

	return (
		number("count(*) FROM $table p JOIN exact e ON e.a = least(p.a, p.b) AND e.b = greatest(p.a, p.b)"),
		number("count(*) FROM $table p"));
}

# Exact pairs of the first so many rows of the sample, in both directions.
sub exact_of_sample
{
	my ($rows) = @_;

	return number("count(*) FROM (SELECT a, b FROM exact UNION ALL SELECT b, a FROM exact) e "
		. "JOIN (SELECT id FROM sampled LIMIT $rows) s ON s.id = e.a");
}

sub rounded
{
	my ($seconds) = @_;

	return $seconds < 100 ? sprintf('%.1f', $seconds) : thousands(sprintf '%.0f', $seconds);
}

# What a method takes, for what it needs first, for both compared with the join through our index.
sub table_line
{
	my ($name, $seconds, $first, $found, $wrong) = @_;

	return sprintf "| %s | %s | %s | %.1f | %.4f | %s |\n", $name, rounded($seconds), rounded($first),
		($seconds + $first) / ($seconds{join} + $seconds{index}), $found, $wrong;
}

# A line about what was measured on rows of the sample and is told for all rows; a nested loop
# has to compare each pair once, an index has to be asked for every row.
sub sampled_line
{
	my ($name, $key, $rows, $total, $share, $first) = @_;
	my ($right, $all) = right_pairs("${key}_pair");
	my $exact = exact_of_sample($rows);

	return table_line("$name (from $rows rows)", $seconds{$key} * $total / $rows * $share,
		$first, $exact > 0 ? $right / $exact : 1, thousands($all - $right) . " of $all");
}

sub report
{
	my $rows = number('count(*) FROM package');
	my $exact = number('count(*) FROM exact');
	my ($found, $join) = right_pairs('pair');
	my ($walked_found, $walked) = right_pairs(
		'(SELECT x.id AS a, y.id AS b FROM walked w JOIN package x ON x.ctid = w.first '
			. 'JOIN package y ON y.ctid = w.second)');
	my ($met, $candidates) = right_pairs('candidate');
	my $groups = number('count(DISTINCT leader) FROM member');
	my $largest = number('max(n) FROM (SELECT count(*) AS n FROM member GROUP BY leader) g');
	my ($cpu) = capture('cat', '/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
	my $prefixes = $seconds{prefixes} + $seconds{prefix_arrays} + $seconds{gin_index};
	my @lines = (
		table_line('join through hashidx_lsh', $seconds{join}, $seconds{index}, $found / $exact,
			$join - $found),
		table_line('hashidx_pairs', $seconds{walk}, $seconds{index}, $walked_found / $exact,
			$walked - $walked_found),
		table_line('exact, prefixes in plain SQL', $seconds{exact}, $seconds{prefixes}, 1, 0),
		table_line('exact, GIN index on the prefixes, `&&`', $seconds{gin_join}, $prefixes, 1, 0),
		sampled_line('exact, GIN index on the shingles, `&&`', 'shingles_gin', 100, $rows, 1,
			$seconds{shingles_gin_index}),
		sampled_line('exact, nested loop', 'nested', 20, $rows, 0.5, 0));

	push @lines,
		sampled_line('pg_trgm, GIN index, `%` at 0.8', 'trgm_gin', 20, $rows, 1,
			$seconds{trgm_gin_index}),
		sampled_line('pg_trgm, GiST index on 2,000 characters, `%` at 0.8', 'trgm_gist', 20, $rows, 1,
			$seconds{trgm_gist_index})
		if defined $seconds{trgm_gin};
	return join '',
		"# Near-duplicates among package descriptions\n\n",
		join(', ', POSIX::strftime('%Y-%m-%d', gmtime), $cpu // 'processor unknown',
			$server->{version}, "hashidx $option{revision}"), ".\n",
		'Descriptions of ' . thousands($rows) . " packages, lower case, shingles of three words; ",
		thousands($exact), " pairs at Jaccard similarity 0.8 or more, known exactly; ",
		"hashidx.recall 0.99. Seconds are CPU time of one server process. What takes too long for ",
		"all rows is measured on some, drawn at random, and told for all.\n\n",
		"| method | CPU seconds | to make its index | both, times hashidx_lsh | share of the exact pairs "
			. "| false pairs |\n|---|---:|---:|---:|---:|---:|\n", @lines, "\n",
		sprintf("- The join is %.0f times as fast as the nested loop. The shingles took %.1f s.\n",
			$seconds{nested} * $rows / 20 / 2 / $seconds{join}, $seconds{shingles}),
		"- The prefixes of a set are its rarest shingles; they have to be made anew when the table "
			. "changes.\n",
		"- pg_trgm's similarity is another: Jaccard of the texts' trigrams, so its pairs are others; "
			. "false ones are those that are not near by shingles of words.\n",
		sprintf("- Groups: %s, the largest of %s packages; %.1f s.\n", thousands($groups),
			thousands($largest), $seconds{groups}),
		sprintf("- Blocking by 20 keys of 3 hashes, blocks of at most 1,000 rows: %s candidate pairs, "
			. "pair completeness %.4f, reduction ratio %.6f; %.1f s.\n", thousands($candidates),
			$met / $exact, 1 - $candidates / ($rows * ($rows - 1) / 2),
			$seconds{blocks} + $seconds{candidates});
}
