#!/usr/bin/perl
# encoders.pl
#     Measures the encoders on Fashion-MNIST: what share of the true neighbours each kind
#     of model finds, and the processor time that it takes to train and to run. Writes a table
#     and a plot.
#     See docs/benchmarks.md; `make bench-encoders` calls it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use File::Temp ();
use Getopt::Long ();
use POSIX ();

use Bench::EncoderReport;
use Bench::Server;
use Bench::Shell qw(run capture note);

use constant IMAGES => '/usr/share/datasets/fashion-mnist';
use constant DATABASE => 'encoders';

# Comparisons of what a model makes of the pictures (made) with what it makes of a query:
# how the former are stored, what answers, and of how many queries one is asked.
my %measures = (
	hamming => {
		title => 'Hamming distance',
		store => 'CREATE TABLE made AS SELECT id, hashidx_encode(model, {column}) AS x FROM images, model;'
			. 'CREATE INDEX ON made USING hashidx_hamming (x)',
		query => 'SELECT hashidx_encode({model}, {query})',
		answer => 'SELECT id FROM made ORDER BY x <~> $1 LIMIT 100',
		type => 'bincode',
	},
	sdc => {
		title => '`sdc_similarity`',
		store => 'CREATE TABLE made AS SELECT id, hashidx_encode(model, {column}) AS x FROM images, model',
		query => 'SELECT hashidx_encode({model}, {query})',
		answer => 'SELECT id FROM made ORDER BY sdc_similarity(x, $1, 2) DESC LIMIT 100',
		type => 'bincode',
		one_in => 4,
	},
	l2 => {
		title => 'L2 distance of vectors',
		store => 'CREATE TABLE made AS SELECT id, hashidx_transform(model, {column}) AS x FROM images, model',
		query => 'SELECT hashidx_transform({model}, {query})',
		answer => 'SELECT id FROM made ORDER BY l2_distance(x, $1) LIMIT 100',
		type => 'qvec',
		one_in => 4,
	},
	levels => {
		title => 'L1 distance of levels',
		store => 'CREATE TABLE made AS SELECT id, hashidx_tokens(model, {column})::real[]::qvec AS x FROM images, model',
		query => 'SELECT hashidx_tokens({model}, {query})::real[]::qvec',
		answer => 'SELECT id FROM made ORDER BY l1_distance(x, $1) LIMIT 100',
		type => 'qvec',
		one_in => 4,
	},
	equal => {
		title => 'number of equal tokens',
		store => 'CREATE TABLE made AS SELECT id, ARRAY[i, t] AS x FROM images, model, '
			. 'unnest(hashidx_tokens(model, {column})) WITH ORDINALITY AS u(t, i);'
			. 'CREATE INDEX ON made (x); ANALYZE made',
		query => 'SELECT array_agg(format(\'{%s,%s}\', i, t)) FROM unnest(hashidx_tokens({model}, {query})) WITH ORDINALITY AS u(t, i)',
		answer => 'SELECT id FROM made WHERE x IN (SELECT p::bigint[] FROM unnest($1) AS p) GROUP BY id ORDER BY count(*) DESC, id LIMIT 100',
		type => 'text[]',
	},
	prefix => {
		title => 'length of the common prefix',
		store => 'CREATE TABLE made AS SELECT id, t[1:i] AS x FROM images, model, '
			. 'LATERAL (SELECT hashidx_tokens(model, {column})::int[] AS t) AS t, generate_series(1, cardinality(t)) AS i;'
			. 'CREATE INDEX ON made (x); ANALYZE made',
		query => 'SELECT array_agg(t[1:i]::text) FROM (SELECT hashidx_tokens({model}, {query})::int[] AS t) AS t, generate_series(1, cardinality(t)) AS i',
		answer => 'SELECT id FROM made WHERE x IN (SELECT p::int[] FROM unnest($1) AS p) GROUP BY id ORDER BY count(*) DESC, id LIMIT 100',
		type => 'text[]',
	},
);

# Kinds of models, with options that differ from the usual ones, and what these are called.
# outputs: what to ask for at 64, 128 and 256 bits, where that is not the number of bits. A
# vector of as many dimensions stands beside codes of as many bits.
my @kinds = (
	{ kind => 'simhash', measure => 'hamming' },
	{ kind => 'simhash', variant => 'not centred', measure => 'hamming', options => { centre => 'false' } },
	{ kind => 'simhash', variant => 'medians', measure => 'hamming', options => { median => 'true' } },
	{ kind => 'sparse', measure => 'hamming' },
	{ kind => 'sparse', variant => 'medians', measure => 'hamming', options => { median => 'true' } },
	{ kind => 'pca', measure => 'hamming' },
	{ kind => 'pca', variant => 'medians', measure => 'hamming', options => { median => 'true' } },
	{ kind => 'itq', measure => 'hamming' },
	{ kind => 'itq', variant => 'medians', measure => 'hamming', options => { median => 'true' } },
	{ kind => 'ksh', measure => 'hamming' },
	{ kind => 'ksh', variant => 'medians', measure => 'hamming', options => { median => 'true' } },
	{ kind => 'recurrent', measure => 'hamming' },
	{ kind => 'recurrent', measure => 'sdc' },
	{ kind => 'cca_itq', measure => 'hamming', columns => [ 'upper', 'lower' ],
		note => 'queries are the upper halves of pictures, answers the lower halves' },
	{ kind => 'fsq', measure => 'levels', outputs => [ 21, 42, 85 ], note => '21, 42 and 85 tokens of 3 bits' },
	{ kind => 'pq', measure => 'equal', outputs => [ 8, 16, 28 ], options => { sample => 20000 },
		note => '8, 16 and 28 tokens of 8 bits, learned from 20,000 rows' },
	{ kind => 'rq', measure => 'prefix', outputs => [4], options => { sample => 20000 },
		note => '4 tokens of 8 bits, learned from 20,000 rows' },
	{ kind => 'projection', measure => 'l2', note => 'vectors of 64, 128 and 256 dimensions' },
	{ kind => 'relative', measure => 'l2', note => 'cosines to 64, 128 and 256 anchors' },
	{ kind => 'weights', measure => 'l2', outputs => [784], note => 'vectors of 784 dimensions' },
);

my @bits = (64, 128, 256);

my %option = (
	queries => 1000,
	kinds => join(' ', map { $_->{kind} } @kinds),
	pg_config => 'pg_config',
	make => 'make',
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
	my @results;

	die 'there is no "' . IMAGES . "\" (dataset-fashion-mnist)\n" if !-e IMAGES;
	$server = Bench::Server->with_hashidx($dir, \%option);
	$server->start(
		shared_buffers => "'1GB'",
		maintenance_work_mem => "'1GB'",
		work_mem => "'64MB'",
		jit => 'off',
		autovacuum => 'off',
		max_parallel_workers_per_gather => 0,
		fsync => 'off',
		client_min_messages => 'warning');
	prepare();
	for my $kind (grep { $option{kinds} =~ /\b$_->{kind}\b/ } @kinds)
	{
		push @results, { %$kind, title => $measures{ $kind->{measure} }{title}, figures => [ measure_kind($kind) ] };
	}
	run('mkdir', '-p', $option{output});
	Bench::EncoderReport::write($option{output}, \@bits, \@results, about());
	return;
}

# The pictures, in whole and in halves, the queries, and their true neighbours.
sub prepare
{
	my $psql = join(' ', map { "'$_'" } $server->psql(DATABASE));

	note('loading the pictures, finding the true neighbours');
	run($server->program('createdb'), '-h', $server->{socket}, '-U', 'bench', DATABASE);
	$server->sql(DATABASE, 'CREATE EXTENSION hashidx',
		'CREATE TABLE images (id int, label smallint, v qvec(784, f16))',
		'CREATE TABLE queries (LIKE images)');
	for my $part ([ 'images', 'train' ], [ 'queries', 't10k' ])
	{
		my ($table, $file) = @$part;

		run('bash', '-c', "set -e -o pipefail; perl '$FindBin::Bin/../demo/idx_to_copy.pl' '" . IMAGES
				. "/$file' | $psql -c 'COPY $table FROM STDIN (FORMAT binary)'");
	}
	$server->sql(DATABASE, "DELETE FROM queries WHERE id >= $option{queries}",
		halves('images'), halves('queries'),
		'CREATE TABLE truth AS SELECT id, ARRAY(SELECT i.id FROM images AS i '
			. 'ORDER BY l2_distance(i.v, q.v) LIMIT 10) AS ids FROM queries AS q',
		'VACUUM ANALYZE', 'CREATE TABLE model (model hashidx_model)', ask());
	return;
}

sub halves
{
	my ($table) = @_;

	return ("ALTER TABLE $table ADD upper qvec(392, f16), ADD lower qvec(392, f16)",
		"UPDATE $table SET upper = (v::real[])[1:392]::qvec, lower = (v::real[])[393:784]::qvec",
		"VACUUM FULL $table");
}

# recall(): asks each query, and says what share of the true neighbours is among the answers.
sub ask
{
	return q{
		CREATE FUNCTION recall(query text, answer text, type text, one_in int) RETURNS numeric LANGUAGE plpgsql AS $$
		DECLARE
			q record;
			found int;
			hits int := 0;
			asked int := 0;
		BEGIN
			EXECUTE format('CREATE TEMP TABLE asked AS SELECT t.ids, (%s) AS x FROM queries AS q JOIN truth AS t USING (id) WHERE id %% %s = 0',
				query, one_in);
			EXECUTE format('PREPARE answer(%s) AS SELECT cardinality(ARRAY(SELECT unnest($2) INTERSECT (%s)))',
				type || ', int[]', answer);
			FOR q IN SELECT ids, x FROM asked LOOP
				EXECUTE format('EXECUTE answer(%L, %L)', q.x, q.ids) INTO found;
				hits := hits + found;
				asked := asked + 1;
			END LOOP;
			RETURN hits / (asked * 10.0);
		END $$};
}

# One kind at all lengths: { recall, train_seconds, rows_per_second }, both of processor time;
# undef where it is refused.
sub measure_kind
{
	my ($kind) = @_;
	my @outputs = @{ $kind->{outputs} // \@bits };
	my @figures;

	for my $outputs (@outputs)
	{
		note(join(', ', $kind->{kind}, $kind->{variant} // (), $outputs, $measures{ $kind->{measure} }{title}));
		push @figures, measure($kind, $outputs);
	}
	return @figures;
}

sub measure
{
	my ($kind, $outputs) = @_;
	my $measure = $measures{ $kind->{measure} };
	my ($first, $second) = @{ $kind->{columns} // ['v'] };
	my $answered = $second // $first;
	my $run = { bincode => 'encode', qvec => 'transform', 'text[]' => 'tokens' }->{ $measure->{type} };
	my %made = (column => $answered, query => "q.$first",
		model => $second ? '(SELECT first FROM models)' : '(SELECT model FROM model)');
	my ($store, $query) = map { my $text = $_; $text =~ s/\{(column|query|model)\}/$made{$1}/g; $text }
		@$measure{qw(store query)};
	my %figure;

	$run = 'tokens' if $kind->{measure} eq 'levels';
	$server->sql(DATABASE, 'TRUNCATE model', 'DROP TABLE IF EXISTS made, models');
	$figure{train_seconds} = eval { train($kind, $outputs, $first, $second) };
	if (!defined $figure{train_seconds})
	{
		die $@ if $@ eq "interrupted\n";
		note("$kind->{kind} cannot give $outputs");
		return undef;
	}
	$figure{rows_per_second} = 60_000 / $server->cpu_seconds(DATABASE,
		"SELECT count(hashidx_$run(model, $answered)) FROM images, model");
	$server->sql(DATABASE, split(/;/, $store));
	$figure{recall} = $server->sql(DATABASE, sprintf('SELECT recall(%s, %d)',
			join(', ', map { quote($_) } $query, @$measure{qw(answer type)}), $measure->{one_in} // 1));
	return \%figure;
}

# Trains the model, or of a pair the one that answers; returns the CPU seconds that it takes.
sub train
{
	my ($kind, $outputs, $first, $second) = @_;
	my %options = (seed => 7, %{ $kind->{options} // {} });
	my $options = '{' . join(', ', map { qq("$_": $options{$_}) } sort keys %options) . '}';
	my $seconds;

	if (!$second)
	{
		return $server->cpu_seconds(DATABASE,
			"INSERT INTO model SELECT hashidx_train('$kind->{kind}', 'images', '$first', $outputs, '$options')");
	}
	$seconds = $server->cpu_seconds(DATABASE,
		"CREATE TABLE models AS SELECT * FROM hashidx_train_pair('$kind->{kind}', 'images', '$first', '$second', $outputs, '$options')");
	$server->sql(DATABASE, 'INSERT INTO model SELECT second FROM models');
	return $seconds;
}

sub quote
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	return "'$text'";
}

# Where, when and of what: the lines of the report's end.
sub about
{
	my ($cpu) = capture('cat', '/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
	my $simd = $server->sql(DATABASE, 'SELECT hashidx_simd()');
	my ($load) = capture('cat', '/proc/loadavg') =~ /^(\S+)/;

	return [
		join(', ', POSIX::strftime('%Y-%m-%d', gmtime), $cpu // 'processor unknown',
			$server->{version}, "hashidx $option{revision} ($simd)"),
		"$option{queries} queries; where every row is compared with the query, one in four of them",
		"Load average of the machine at the end: $load; times are of the processor, all threads together",
	];
}
