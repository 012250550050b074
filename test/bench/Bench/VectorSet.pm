# VectorSet.pm
#     The data sets of vectors, on which graphs are measured: what is in them,
#     and how their files and tables are made.
#
# Files, in the directory of the set: base (all rows but the last), fresh (the
# last, to be inserted one by one), queries, truth. Tables, in a database of the
# set: items (id, embedding qvec), and vectors (id, embedding vector) for pgvector.

package Bench::VectorSet;

use strict;
use warnings;

use Bench::DataSet;
use Bench::Shell qw(pipe_to note);

use constant NEIGHBOURS => 10;

# index: the size of the index in each extension's terms. A goal is a figure (see
# VectorReport.pm) and the most or the least it should be.
my %sets = (
	fashion784 => {
		title => 'Fashion-MNIST, 784 dimensions, Euclidean',
		about => 'The 60,000 training images of Fashion-MNIST; the queries are the first test images.',
		dims => 784,
		rows => 60_000,
		queries => 1_000,
		needs => Bench::DataSet::IMAGES,
		make => \&make_images,
		goals => [ [ 'pgvector95', 8 ], [ 'hnswlib95', 1 ], [ 'pgvector99', 8 ], [ 'build', 2 ],
			[ 'buffers95', 40 ], [ 'inserts', 2 ], [ 'wal', 2 ] ],
	},
	clustered128 => {
		title => '{rows} vectors of 128 dimensions in clusters, Euclidean',
		about => 'Seeded: 1,000 clusters, each a Gaussian of 24 dimensions turned at random, and '
			. 'a little noise in all 128. The queries are drawn alike and are not in the table.',
		dims => 128,
		rows => 1_000_000,
		queries => 500,
		make => \&make_clustered,
		goals => [ [ 'pgvector95', 8 ], [ 'hnswlib95', 1 ], [ 'pgvector99', 8 ], [ 'build', 2 ],
			[ 'inserts', 2 ] ],
	},
);

sub names
{
	return sort keys %sets;
}

# The set's description with the sizes asked for, and where its files go; undef: no such set.
sub get
{
	my ($name, $dir, %sizes) = @_;
	my $set = $sets{$name} or return undef;

	$set = { %$set, name => $name, dir => "$dir/$name", vectors => 1 };
	for my $size (qw(rows queries))
	{
		$set->{$size} = $sizes{$size} if $sizes{$size} && !($set->{needs} && $size eq 'rows');
	}
	$set->{title} =~ s/\{rows\}/Bench::DataSet::with_commas($set->{rows})/e;
	return $set;
}

# Makes files and tables. data: the data program.
sub prepare
{
	my ($set, $server, $data, $with_pgvector) = @_;
	my ($name, $dir) = @$set{qw(name dir)};

	note("$name: making data");
	mkdir($dir) or die "cannot make \"$dir\": $!\n";
	$server->sql('postgres', "CREATE DATABASE $name");
	$set->{make}->($set, $data);
	make_table($set, $server, $data, 'hashidx', "items (id integer, embedding qvec($set->{dims}))");
	make_table($set, $server, $data, 'vector', "vectors (id integer, embedding vector($set->{dims}))")
		if $with_pgvector;
	$server->sql($name, 'VACUUM (FREEZE, ANALYZE)', 'CHECKPOINT');

	note("$name: true answers");
	pipe_to("'$data' nearest '$dir/base' '$dir/queries' @{[NEIGHBOURS]} > '$dir/truth'");
	return;
}

# Vectors are kept in the table itself, not beside it: both extensions gain alike.
sub make_table
{
	my ($set, $server, $data, $extension, $definition) = @_;
	my ($table) = $definition =~ /^(\w+)/;

	$server->sql($set->{name}, "CREATE EXTENSION $extension", "CREATE TABLE $definition",
		"ALTER TABLE $table ALTER embedding SET STORAGE PLAIN");
	Bench::DataSet::load($set, $server, $data, 'base', $table);
	return;
}

sub make_images
{
	my ($set, $data) = @_;
	my $images = Bench::DataSet::IMAGES;
	my $dir = $set->{dir};

	pipe_to("gunzip -c '$images/train-images-idx3-ubyte.gz' | '$data' images > '$dir/base'");
	pipe_to("gunzip -c '$images/t10k-images-idx3-ubyte.gz' | '$data' images > '$dir/test'");
	pipe_to("'$data' part '$dir/test' 0 $set->{queries} > '$dir/queries'");
	pipe_to("'$data' part '$dir/test' $set->{queries} 5000 > '$dir/fresh'");
	return;
}

sub make_clustered
{
	my ($set, $data) = @_;
	my ($dir, $dims, $rows, $queries) = @$set{qw(dir dims rows queries)};
	my $all = $rows + $queries + 5000;

	pipe_to("'$data' clustered $dims $all 5 1000 24 > '$dir/all'");
	pipe_to("'$data' part '$dir/all' 0 $rows > '$dir/base'");
	pipe_to("'$data' part '$dir/all' $rows $queries > '$dir/queries'");
	pipe_to("'$data' part '$dir/all' @{[ $rows + $queries ]} 5000 > '$dir/fresh'");
	unlink("$dir/all");
	return;
}

1;
