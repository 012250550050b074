# DataSet.pm
#     The data sets: what is in them, what is asked of them, what is hoped for,
#     and how their files and tables are made.
#
# Files, in the directory of the set: base (all rows), fresh (rows to insert,
# where inserts are measured), and for each workload its queries and true
# answers. Tables, in a database of the set: codes (id, code bincode) and fresh
# for hashidx; bits (id, code bit) for pgvector.

package Bench::DataSet;

use strict;
use warnings;

use Bench::Shell qw(pipe_to note);

use constant INSERTED => 200_000;
use constant IMAGES => '/usr/share/datasets/fashion-mnist';

my $random_about = 'uniformly random: every query is far from every row, except that '
	. 'the queries of the ranges are rows with up to as many bits flipped as the range reaches.';

# A workload asks for the k nearest, or for all within a radius; its queries come
# from the maker that `queries` names. A goal is a figure from the results (see
# Report.pm) and the most or the least it should be.
my %sets = (
	random64 => {
		title => '{rows} random codes of 64 bits',
		about => "The codes are $random_about",
		bits => 64,
		rows => 1_000_000,
		queries => 1_000,
		inserts => 1,
		make => \&make_random,
		workloads => [
			{ name => 'nearest10', k => 10, queries => 'random' },
			{ name => 'within3', radius => 3, queries => 'near' },
			{ name => 'within7', radius => 7, queries => 'near' },
		],
		goals => [ [ 'speedup', 30 ], [ 'build', 2 ], [ 'size', 1.15 ], [ 'inserts', 50_000 ] ],
	},
	random256 => {
		title => '{rows} random codes of 256 bits',
		about => "The codes are $random_about",
		bits => 256,
		rows => 1_000_000,
		queries => 1_000,
		inserts => 1,
		make => \&make_random,
		workloads => [
			{ name => 'nearest10', k => 10, queries => 'random' },
			{ name => 'within15', radius => 15, queries => 'near' },
			{ name => 'within31', radius => 31, queries => 'near' },
		],
		goals => [ [ 'speedup', 15 ], [ 'faiss', 2 ], [ 'build', 2 ], [ 'size', 1.15 ],
			[ 'inserts', 50_000 ] ],
	},
	fashion256 => {
		title => 'Fashion-MNIST as codes of 256 bits',
		about => 'The 60,000 training images of Fashion-MNIST, less their mean, as simhash codes; '
			. 'the queries are the 10,000 test images, treated alike.',
		bits => 256,
		rows => 60_000,
		queries => 10_000,
		needs => IMAGES,
		make => \&make_fashion,
		workloads => [
			{ name => 'nearest10', k => 10, queries => 'test' },
			{ name => 'nearest100', k => 100, queries => 'test' },
			{ name => 'within16', radius => 16, queries => 'test' },
			{ name => 'within32', radius => 32, queries => 'test' },
		],
		goals => [ [ 'size', 1.15 ] ],
	},
);

sub names
{
	return sort keys %sets;
}

# The set's description with the sizes asked for, and where its files go.
sub get
{
	my ($name, $dir, %sizes) = @_;
	my $set = $sets{$name} or die "there is no data set \"$name\": " . join(' ', names()) . "\n";

	$set = { %$set, name => $name, dir => "$dir/$name" };
	for my $size (qw(rows queries))
	{
		$set->{$size} = $sizes{$size} if $sizes{$size} && !($name =~ /^fashion/ && $size eq 'rows');
	}
	$set->{title} =~ s/\{rows\}/with_commas($set->{rows})/e;
	return $set;
}

sub with_commas
{
	my ($number) = @_;

	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}

# Makes files and tables. data: the data program.
sub prepare
{
	my ($set, $server, $data, $with_pgvector) = @_;
	my $name = $set->{name};

	note("$name: making data");
	mkdir($set->{dir}) or die "cannot make \"$set->{dir}\": $!\n";
	$server->sql('postgres', "CREATE DATABASE $name");
	$server->sql($name, 'CREATE EXTENSION hashidx');
	$set->{make}->($set, $server, $data);
	if ($with_pgvector)
	{
		$server->sql($name, 'CREATE EXTENSION vector',
			"CREATE TABLE bits (id integer, code bit($set->{bits}))");
		load($set, $server, $data, 'base', 'bits');
	}
	$server->sql($name, 'VACUUM (FREEZE, ANALYZE)', 'CHECKPOINT');
	make_truth($set, $data);
	return;
}

sub drop
{
	my ($set, $server) = @_;

	$server->sql('postgres', "DROP DATABASE $set->{name}");
	return;
}

# Fills a table (id, code or vector) from a file of rows.
sub load
{
	my ($set, $server, $data, $file, $table) = @_;
	my @psql = $server->psql($set->{name});

	pipe_to("'$data' copy '$set->{dir}/$file' | "
			. join(' ', map { "'$_'" } @psql)
			. " -c 'COPY $table FROM STDIN (FORMAT binary)'");
	return;
}

# The other way: a file of rows from a query of codes.
sub unload
{
	my ($set, $server, $data, $query, $file) = @_;
	my @psql = $server->psql($set->{name});

	pipe_to(join(' ', map { "'$_'" } @psql)
			. " -c 'COPY ($query) TO STDOUT (FORMAT binary)'"
			. " | '$data' uncopy > '$set->{dir}/$file'");
	return;
}

sub make_random
{
	my ($set, $server, $data) = @_;
	my ($dir, $bits) = @$set{qw(dir bits)};

	pipe_to("'$data' random $bits $set->{rows} 1 > '$dir/base'");
	pipe_to("'$data' random $bits @{[INSERTED]} 2 > '$dir/fresh'");
	pipe_to("'$data' random $bits $set->{queries} 3 > '$dir/random'");
	for my $workload (@{ $set->{workloads} })
	{
		next if $workload->{queries} ne 'near';
		$workload->{queries} = "near$workload->{radius}";
		pipe_to("'$data' near '$dir/base' $set->{queries} 4 $workload->{radius}"
				. " > '$dir/$workload->{queries}'");
	}
	for my $table ([ 'base', 'codes' ], [ 'fresh', 'fresh' ])
	{
		$server->sql($set->{name}, "CREATE TABLE $table->[1] (id integer, code bincode($bits))");
		load($set, $server, $data, @$table);
	}
	return;
}

# Codes made in SQL, as a user would.
sub make_fashion
{
	my ($set, $server, $data) = @_;
	my ($name, $dir, $bits) = @$set{qw(name dir bits)};

	for my $part ([ 'train', 'codes' ], [ 't10k', 'queries' ])
	{
		my ($file, $table) = @$part;

		pipe_to("gunzip -c '@{[IMAGES]}/$file-images-idx3-ubyte.gz' | '$data' images"
				. " > '$dir/$file'");
		$server->sql($name, "CREATE TABLE images_$table (id integer, embedding qvec(784))");
		load($set, $server, $data, $file, "images_$table");
		$server->sql($name,
			"CREATE TABLE $table AS SELECT id, "
				. "hashidx_simhash(embedding - mean, $bits)::bincode($bits) AS code "
				. "FROM images_$table, (SELECT avg(embedding) AS mean FROM images_codes) AS training");
	}
	unload($set, $server, $data, 'SELECT code FROM codes ORDER BY id', 'base');
	unload($set, $server, $data,
		"SELECT code FROM queries ORDER BY id LIMIT $set->{queries}", 'test');
	return;
}

# True answers, by brute force outside the server.
sub make_truth
{
	my ($set, $data) = @_;
	my $dir = $set->{dir};

	for my $workload (@{ $set->{workloads} })
	{
		my $question = $workload->{k} ? "nearest" : "within";

		note("$set->{name}: true answers of $workload->{name}");
		pipe_to("'$data' $question '$dir/base' '$dir/$workload->{queries}' "
				. ($workload->{k} // $workload->{radius})
				. " > '$dir/$workload->{name}.truth'");
	}
	return;
}

1;
