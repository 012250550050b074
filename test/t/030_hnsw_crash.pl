# Crashes while clients insert into hashidx_hnsw, delete and vacuum, in the middle of what takes
# several WAL records: after recovery the graph is sound, gives the rows of a sequential scan,
# and the next vacuum ends what was begun. Every record is compared with the page it
# describes (wal_consistency_checking).

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxHnsw;
use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{HX_ROUNDS} // 4;
# From 18 on there are checksums unless told otherwise; pages are patched below.
my $node = new_cluster('hnsw_crash', init => { no_data_checksums => 1 }, conf => q{
	wal_consistency_checking = 'all'
	restart_after_crash = on
	checkpoint_timeout = 30s
	max_wal_size = 64MB
	min_parallel_index_scan_size = 0
	shared_buffers = 8MB});

srand(20261122);
add_vectors($node);
$node->safe_psql('postgres', q{
	CREATE TABLE item (id bigserial, v qvec(24), c bincode(64));
	CREATE INDEX item_v ON item USING hashidx_hnsw (v);
	CREATE INDEX item_c ON item USING hashidx_hnsw (c) WITH (m = 16);
	CREATE TABLE wide (id bigserial, v qvec(4200));
	CREATE INDEX wide_v ON wide USING hashidx_hnsw (v) WITH (format = f32, m = 16);
	CREATE TABLE young (id bigserial, v qvec(24));
	CREATE INDEX young_v ON young USING hashidx_hnsw (v);
	CREATE UNLOGGED TABLE fleeting (id bigserial, v qvec);
	CREATE INDEX fleeting_v ON fleeting USING hashidx_hnsw (v qvec_cosine_ops);
});

my %scripts = (
	q{
\set a random(1, 1000000)
BEGIN;
INSERT INTO item (v, c) SELECT test_near_vector(24, i % 9, :a + i), test_near_code(64, i % 4, :a + i) FROM generate_series(1, 10) AS i;
INSERT INTO item (v, c) SELECT test_vector(24, :a % 3), test_code(64, :a % 3) FROM generate_series(1, 10);
INSERT INTO fleeting (v) SELECT test_near_vector(16, 1, :a);
END;
} => 6,
	q{
\set a random(1, 1000000)
INSERT INTO young (v) SELECT test_near_vector(24, 1, :a + i) FROM generate_series(1, 60) AS i;
} => 6,
	"TRUNCATE young;\n" => 1,
	q{
\set a random(1, 1000000)
INSERT INTO wide (v) SELECT test_near_vector(4200, i, :a + i) FROM generate_series(1, 3) AS i;
} => 6,
	q{
\set a random(0, 9)
DELETE FROM wide WHERE id % 10 = :a;
} => 2,
	"VACUUM (TRUNCATE false) wide;\n" => 3,
	"REINDEX INDEX wide_v;\n" => 1,
	q{
\set a random(0, 9)
DELETE FROM item WHERE id % 10 = :a;
} => 2,
	"VACUUM (TRUNCATE false) item;\n" => 3);

foreach my $round (1 .. $rounds)
{
	my $how = ('immediate', 'kill -9 of all', 'kill -9 of a backend')[ $round % 3 ];
	my $clients = start_clients($node, 3, %scripts);

	sleep(1 + rand(0.8));
	if ($how eq 'immediate') { $node->stop('immediate'); }
	elsif ($how eq 'kill -9 of all') { kill_all($node); }
	else { kill_backend($node); }
	stop_clients($clients);
	$node->start unless $how eq 'kill -9 of a backend';

	foreach my $when ('', ' after vacuum')
	{
		foreach my $index (qw(item_v item_c wide_v young_v fleeting_v))
		{
			is(check_index($node, $index), '', "round $round, $how: $index is sound$when");
		}
		is(complaints($node, 'item', '<->', 'test_vector(24, 1)', 'test_near_vector(24, 5, 0)'),
			'', "round $round: right answers$when");
		is(complaints($node, 'wide', '<->', 'test_near_vector(4200, 1, 0)'), '', "round $round: from large nodes too$when");
		$node->safe_psql('postgres', 'VACUUM (TRUNCATE false) item, wide') unless $when;
	}
	is( $node->safe_psql('postgres', q{
			SELECT s -> 'dead', (s -> 'rows')::bigint - (SELECT count(*) FROM item) FROM hashidx_index_stats('item_v') AS s}),
		'0|0', "round $round: vacuum has left nothing behind");
	is( $node->safe_psql('postgres', q{
			INSERT INTO fleeting (v) SELECT test_near_vector(16, 1, i) FROM generate_series(1, 20) AS i;
			SELECT count(*) FROM fleeting;}),
		20, "round $round: an unlogged index is empty and usable");
	is(complaints($node, 'fleeting', '<=>', 'test_vector(16, 1)'), '', "round $round: it answers");
}

# Pages without contents, as a crash leaves them between the extension of the file and the first record:
# vacuum makes as many large nodes of them as it can, each of three pages, and postings pages of the rest.
sub wide_pages
{
	return $node->safe_psql('postgres', q{
		SELECT s -> 'empty_pages', s -> 'free', s -> 'nodes_pages', s -> 'postings_pages'
		FROM hashidx_index_stats('wide_v') AS s});
}

$node->safe_psql('postgres', q{
	INSERT INTO wide (v) SELECT test_near_vector(4200, 1, i) FROM generate_series(1, 30) AS i;
	VACUUM wide;
	INSERT INTO wide (v) SELECT test_near_vector(4200, 2, i) FROM generate_series(1, (hashidx_index_stats('wide_v') ->> 'free')::int) AS i;});

my ($empty, $free, $nodes, $postings) = split(/\|/, wide_pages());
my $path = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('wide_v')});
my $page_size = page_size($node);

is("$empty|$free", '0|0', 'no room for large nodes is left');
foreach my $blank (8, 2)
{
	$node->stop;
	append_to_file($path, "\0" x ($blank * $page_size));
	$node->start;
	is(check_index($node, 'wide_v'), '', "sound with $blank blank pages");
	is(complaints($node, 'wide', '<->', 'test_near_vector(4200, 1, 0)'), '', 'right answers');

	# Behind the blank pages.
	$node->safe_psql('postgres', "INSERT INTO wide (v) SELECT test_near_vector(4200, 3, $blank * 10 + i) FROM generate_series(1, 2) AS i");
	is(check_index($node, 'wide_v'), '', 'and when the index has grown');
}
is(wide_pages(), join('|', 10, 0, $nodes + 4, $postings), 'blank pages stay so far');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) wide');
is(wide_pages(), join('|', 0, 2, $nodes + 6, $postings + 4), 'vacuum has adopted them');
is(check_index($node, 'wide_v'), '', 'the index is sound');
$node->safe_psql('postgres', 'INSERT INTO wide (v) SELECT test_near_vector(4200, 4, i) FROM generate_series(1, 2) AS i');
is(wide_pages(), join('|', 0, 0, $nodes + 6, $postings + 4), 'inserts have used them');
is(check_index($node, 'wide_v'), '', 'and it still is');
is(complaints($node, 'wide', '<->', 'test_near_vector(4200, 4, 0)'), '', 'right answers');

# An index that was made before its rows gets a centre, and all codes anew. Here some of the codes are not
# made, as if a crash had come between: whoever inserts next makes them.
my $page_size = page_size($node);

sub patch_pages
{
	my ($patch) = @_;
	my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('young_v')});

	$node->stop;
	my @pages = unpack("(a$page_size)*", slurp_file($file));
	$patch->($_) foreach @pages;
	open(my $out, '>:raw', $file) or die "cannot write $file: $!";
	print $out join('', @pages);
	close($out);
	$node->start;
	return;
}

# The kind of a page: 1 the metapage, 4 nodes, 7 centre. Offsets are those of src/am/hnsw/README.
sub kind { return ord substr($_[0], $page_size - 4, 1); }

$node->safe_psql('postgres', q{
	TRUNCATE young;
	INSERT INTO young (v) SELECT test_near_vector(24, 1, i) FROM generate_series(1, 60) AS i;});
my $centres = 0;
patch_pages(sub { $centres += kind($_[0]) == 7; });
is($centres, 0, 'an index of a few pages has no centre');
$node->safe_psql('postgres', 'INSERT INTO young (v) SELECT test_near_vector(24, 1, -i) FROM generate_series(1, 300) AS i');
patch_pages(sub { $centres += kind($_[0]) == 7; });
is($centres, 1, 'a larger one has');
is(check_index($node, 'young_v'), '', 'and the codes that go with it');

# The factors of all links of the first node of each page.
patch_pages(sub {
	substr($_[0], 24 + 32 + 4 * 24 + 8 * $_ + 4, 4) = "\0" x 4 foreach kind($_[0]) == 4 ? (0 .. 31) : ();
});
like(check_index($node, 'young_v'), qr/is not that of node/, 'codes of no centre are noticed');
patch_pages(sub { substr($_[0], 24 + 172, 4) = pack('L', 1) if kind($_[0]) == 1; });
is(check_index($node, 'young_v'), '', 'unless they are known to be on the way');
is(complaints($node, 'young', '<->', 'test_near_vector(24, 1, 7)'), '', 'answers are right');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) young');
is(check_index($node, 'young_v'), '', 'vacuum changes nothing');
$node->safe_psql('postgres', 'INSERT INTO young (v) SELECT test_near_vector(24, 1, 1000)');
patch_pages(sub {
	is(unpack('L', substr($_[0], 24 + 172, 4)), 0, 'an insert has made the codes') if kind($_[0]) == 1;
});
is(check_index($node, 'young_v'), '', 'which are right');
is(complaints($node, 'young', '<->', 'test_near_vector(24, 1, 7)'), '', 'and so are answers');

# Many inserts at once may take an index past the pages at which it gets its centre: the next one chooses it.
$node->safe_psql('postgres', 'INSERT INTO young (v) SELECT test_near_vector(24, 1, 1000 + i) FROM generate_series(1, 300) AS i');
cmp_ok($node->safe_psql('postgres', q{SELECT hashidx_index_stats('young_v') -> 'nodes_pages'}), '>', 32, 'a page or more beyond');
patch_pages(sub { substr($_[0], 24 + 40, 4) = pack('L', 0xffffffff) if kind($_[0]) == 1; });
like(check_index($node, 'young_v'), qr/is not that of node/, 'codes of a centre that the index does not have');
$node->safe_psql('postgres', 'INSERT INTO young (v) SELECT test_near_vector(24, 1, 2000)');
patch_pages(sub {
	isnt(unpack('L', substr($_[0], 24 + 40, 4)), 0xffffffff, 'an insert has chosen one') if kind($_[0]) == 1;
});
is(check_index($node, 'young_v'), '', 'and the codes that go with it');
is(complaints($node, 'young', '<->', 'test_near_vector(24, 1, 7)'), '', 'answers are right');

# Vacuum, slowed down, is stopped when it has freed some of the dead nodes and not yet the others,
# which link to them. Inserts use the free slots again before the next vacuum frees those.
$node->safe_psql('postgres', q{
	CREATE TABLE half (id bigserial, c bincode(64));
	CREATE INDEX half_c ON half USING hashidx_hnsw (c) WITH (m = 16);
});
foreach my $how ('cancelled', 'immediate')
{
	$node->safe_psql('postgres', q{
		INSERT INTO half (c) SELECT test_near_code(64, i % 4, i) FROM generate_series(1, 600) AS i;
		DELETE FROM half WHERE id % 3 = 0;});

	my $most = 0;
	my $dead = 0;
	my $err = '';
	my $vacuum = IPC::Run::start(
		[ 'psql', '-X', '-h', $node->host, '-p', $node->port, 'postgres', '-c', 'SET vacuum_cost_limit = 1',
			'-c', 'SET vacuum_cost_delay = 100', '-c', 'VACUUM (INDEX_CLEANUP on) half' ],
		'<', \undef, '>', \my $out, '2>', \$err);

	for (1 .. 20_000)
	{
		$dead = $node->safe_psql('postgres', q{SELECT hashidx_index_stats('half_c') -> 'dead'});
		last if $dead < $most;
		$most = $dead;
	}
	if ($how eq 'immediate')
	{
		# Vacuum has not committed anything yet: have its WAL flushed.
		$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
		$node->stop('immediate');
	}
	else
	{
		$node->safe_psql('postgres',
			q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'VACUUM (INDEX%'});
	}
	$vacuum->finish;
	$node->start if $how eq 'immediate';

	cmp_ok($dead, '<', $most, "$how: vacuum had freed some of the dead nodes");
	isnt($err, '', "$how: it did not end");
	cmp_ok($node->safe_psql('postgres', q{SELECT hashidx_index_stats('half_c') -> 'dead'}), '>', 0, "$how: others are left");
	is(check_index($node, 'half_c'), '', "$how: the index is sound");
	$node->safe_psql('postgres',
		'INSERT INTO half (c) SELECT test_near_code(64, i % 4, -i) FROM generate_series(1, 300) AS i');
	is(check_index($node, 'half_c'), '', "$how: and when free slots have been used again");
	$node->safe_psql('postgres', 'VACUUM half');
	is(check_index($node, 'half_c'), '', "$how: and after the next vacuum");
	is($node->safe_psql('postgres', q{SELECT hashidx_index_stats('half_c') -> 'dead'}), 0, "$how: which frees them all");
}

unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal (?!9)|inconsistent page/,
	'nothing crashed by itself, replay made the same pages');
$node->stop;
done_testing();
