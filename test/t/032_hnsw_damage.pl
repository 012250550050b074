# Damaged pages of hashidx_hnsw: whatever stands in the file of an index, every statement ends, with
# an answer or with an error that names the block and says REINDEX; no backend crashes, and
# REINDEX cures the index. hashidx_check notices each damage aimed at what it can know.
#
# Many small tables with one index each are damaged at once while the server is down: first
# aimed at the fields of the format, then at random.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxHnsw;
use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $random = $ENV{HX_ROUNDS} // 20;

# From 18 on there are checksums unless told otherwise, and the server would notice first.
my $node = new_cluster('hnsw_damage', init => { no_data_checksums => 1 });
my $page_size = page_size($node);

my $contents = 24;
my ($next, $kind, $page_id) = ($page_size - 8, $page_size - 4, $page_size - 2);
my %kinds = (meta => 1, nodes => 4, postings => 5, entries => 6, tail => 16);

# Of 8 dimensions in f32, 1 bit, 16 links: an own vector of 32 bytes, links of 8, codes of 1.
my ($own, $links, $codes) = ($contents + 32, $contents + 64, $contents + 64 + 16 * 8);

# Of so many dimensions, a node needs a tail; its links end the page that it begins in.
my $wide = 2100 * $page_size / 8192;
my $wide_links = $page_size - 8 - 16 * (8 + int(($wide + 7) / 8));

srand($ENV{HX_SEED} // 20261122);

sub u16 { return pack('S', shift); }
sub u32 { return pack('L', shift); }
sub float { return pack('f', shift); }

# A damage: these bytes at this offset of the first page of that kind.
sub put
{
	my ($name, $offset, $bytes) = @_;

	return sub {
		my ($blocks) = @_;
		my ($blk) = grep { ord(substr($blocks->[$_], $kind, 1)) == $kinds{$name} } 0 .. $#$blocks;
		my $value = ref($bytes) ? $bytes->($blocks, $blk) : $bytes;

		substr($blocks->[$blk], $offset, length($value)) = $value;
	};
}

sub node_in
{
	my ($blocks, $slot) = @_;
	my ($blk) = grep { ord(substr($blocks->[$_], $kind, 1)) == $kinds{nodes} } 0 .. $#$blocks;

	return int(($page_size - 32) / 208) * $blk + $slot;
}

# A name, the damage, and whether hashidx_check must notice it.
my @aimed = (
	[ 'magic', put('meta', $contents, u32(0x12345678)), 1 ],
	[ 'format of the future', put('meta', $contents + 4, u16(2)), 1 ],
	[ 'metric', put('meta', $contents + 6, chr(4)), 1 ],
	[ 'unknown metric', put('meta', $contents + 6, chr(77)), 1 ],
	[ 'form of vectors', put('meta', $contents + 7, chr(9)), 1 ],
	[ 'more dimensions', put('meta', $contents + 8, u32(9)), 1 ],
	[ 'all dimensions', put('meta', $contents + 8, u32(0xffffffff)), 1 ],
	[ 'no dimensions', put('meta', $contents + 8, u32(0)), 0 ],
	[ 'no links', put('meta', $contents + 12, u16(0)), 1 ],
	[ 'all links', put('meta', $contents + 12, u16(65535)), 1 ],
	[ 'fewer links', put('meta', $contents + 12, u16(15)), 0 ],
	[ 'no code bits', put('meta', $contents + 14, u16(0)), 1 ],
	[ 'ef_construction', put('meta', $contents + 16, u32(0)), 0 ],
	[ 'norm', put('meta', $contents + 20, float('nan')), 0 ],
	[ 'rooms to nowhere', put('meta', $contents + 32, u32(100000)), 1 ],
	[ 'rooms to the metapage', put('meta', $contents + 32, u32(0)), 1 ],
	[ 'rooms of another kind', put('meta', $contents + 36, u32(1)), 0 ],
	[ 'centre to nowhere', put('meta', $contents + 40, u32(0xfffffff0)), 1 ],
	[ 'entries to nowhere', put('meta', $contents + 44, u32(0xfffffff0)), 1 ],
	[ 'entries to the metapage', put('meta', $contents + 44, u32(0)), 1 ],
	[ 'no entries', put('meta', $contents + 44, u32(0xffffffff)), 1 ],
	[ 'curve', put('meta', $contents + 52, u16(65535)), 0 ],
	[ 'metapage of another kind', put('meta', $kind, chr(4)), 1 ],
	[ 'metapage zero', sub { $_[0][0] = "\0" x $page_size }, 1 ],
	[ 'page id', put('nodes', $page_id, u16(0xffa1)), 1 ],
	[ 'nodes page of another kind', put('nodes', $kind, chr(5)), 1 ],
	[ 'unknown kind', put('nodes', $kind, chr(99)), 1 ],
	[ 'second metapage', put('nodes', $kind, chr(1)), 1 ],
	[ 'nodes page zero', sub { $_[0][1] = "\0" x $page_size }, 1 ],
	[ 'state', put('nodes', $contents, chr(3)), 1 ],
	[ 'free with links', put('nodes', $contents, chr(0)), 1 ],
	[ 'dead with rows', put('nodes', $contents, chr(2)), 1 ],
	[ 'too many links', put('nodes', $contents + 1, chr(17)), 1 ],
	[ 'all links of a node', put('nodes', $contents + 1, chr(255)), 1 ],
	[ 'too many rows', put('nodes', $contents + 2, u16(3)), 1 ],
	[ 'postings to nowhere', put('nodes', $contents + 8, u32(0xfffffff0)), 1 ],
	[ 'postings to the metapage', put('nodes', $contents + 8, u32(3)), 1 ],
	[ 'postings of none', put('nodes', $contents + 8, u32(0)), 1 ],
	[ 'error not a number', put('nodes', $contents + 12, float('nan')), 1 ],
	[ 'row beyond the table', put('nodes', $contents + 16, "\xff\xff\xff\xff\xff\xff"), 1 ],
	[ 'invalid row', put('nodes', $contents + 16, "\0\0\0\0\0\0"), 1 ],
	[ 'own vector', put('nodes', $own, float(1e30)), 1 ],
	[ 'own vector not a number', put('nodes', $own, float('nan')), 1 ],
	[ 'link to nowhere', put('nodes', $links, u32(0xfffffff0)), 1 ],
	[ 'link to the metapage', put('nodes', $links, u32(1)), 1 ],
	[ 'link to itself', put('nodes', $links, sub { u32(node_in($_[0], 0)) }), 1 ],
	[ 'link twice', put('nodes', $links, sub { substr($_[0][ $_[1] ], $links + 8, 4) }), 1 ],
	[ 'factor', put('nodes', $links + 4, "\x12\x34\x56\x78"), 1 ],
	[ 'factor not a number', put('nodes', $links + 4, "\xff\x7f\xff\x7f"), 1 ],
	[ 'code', put('nodes', $codes, sub { chr(ord(substr($_[0][ $_[1] ], $codes, 1)) ^ 0xff) }), 1 ],
	[ 'posting in an unknown state', put('postings', $contents, chr(7)), 1 ],
	[ 'posting free', put('postings', $contents, chr(0)), 1 ],
	[ 'posting with too many rows', put('postings', $contents + 2, u16(65535)), 1 ],
	[ 'postings in circles', put('postings', $contents + 4, sub { u32($_[1] * 8) }), 1 ],
	[ 'postings go on nowhere', put('postings', $contents + 4, u32(0xfffffff0)), 1 ],
	[ 'posting of another node', put('postings', $contents + 8, u32(12345)), 1 ],
	[ 'posting of another version', put('postings', $contents + 12, u32(12345)), 1 ],
	[ 'posting out of order', put('postings', $contents + 16, u32(0xffffffff)), 1 ],
	[ 'too many entries', put('entries', $contents, u16(65535)), 1 ],
	[ 'entry to nowhere', put('entries', $contents + 4, u32(0xfffffff0)), 1 ],
	[ 'entry\'s code', put('entries', $contents + 12, sub { chr(ord(substr($_[0][ $_[1] ], $contents + 12, 1)) ^ 0xff) }), 1 ],
	[ 'entries in circles', put('entries', $next, sub { u32($_[1]) }), 1 ],
);

# Some bytes anywhere.
sub scribble
{
	my ($blocks) = @_;

	foreach (1 .. 1 + int(rand(40)))
	{
		substr($blocks->[ int(rand(@$blocks)) ], $contents + int(rand($page_size - $contents)), 1) = chr(int(rand(256)));
	}
	return;
}

push @aimed, map { [ "random $_", \&scribble, 0 ] } 1 .. $random;

# From here on tables of 2,100 dimensions: a node's record takes block 1, its tail block 2, and so on.
my $first_wide = @aimed;

push @aimed, (
	[ 'no tail pages', put('meta', $contents + 54, u16(0)), 1 ],
	[ 'more tail pages', put('meta', $contents + 54, u16(2)), 1 ],
	[ 'all tail pages', put('meta', $contents + 54, u16(65535)), 1 ],
	[ 'tail of another kind', put('tail', $kind, chr(4)), 1 ],
	[ 'tail of another access method', put('tail', $page_id, u16(0xffa3)), 1 ],
	[ 'tail zero', sub { $_[0][2] = "\0" x $page_size }, 1 ],
	[ 'tail of another node', put('tail', $contents, u32(3)), 1 ],
	[ 'tail of another version', put('tail', $contents + 4, u32(1)), 1 ],
	[ 'vector in the tail', put('tail', $contents + 8, float(1e30)), 1 ],
	[ 'vector in the tail not a number', put('tail', $contents + 12, float('nan')), 1 ],
	[ 'tail without its node', sub { $_[0][1] = "\0" x $page_size }, 1 ],
	[ 'node a tail', put('nodes', $kind, chr(16)), 1 ],
	[ 'link to a tail', put('nodes', $wide_links, u32(2)), 1 ],
	[ 'end of the file lost', sub {
		my ($blocks) = @_;
		my ($last) = grep { ord(substr($blocks->[$_], $kind, 1)) == $kinds{nodes} } reverse 0 .. $#$blocks;

		splice(@$blocks, $last + 1);
	}, 1 ],
	map { [ "random in large nodes $_", \&scribble, 0 ] } 1 .. $random / 4);

sub dims_of
{
	my ($table) = @_;

	return $table < $first_wide ? 8 : $wide;
}


add_vectors($node);
$node->safe_psql('postgres', join("\n", map { my $dims = dims_of($_); qq{
	CREATE TABLE t$_ (id int, v qvec($dims));
	CREATE INDEX v$_ ON t$_ USING hashidx_hnsw (v) WITH (m = 16, code_bits = 1, format = f32);
	INSERT INTO t$_ SELECT i, test_vector($dims, 1) FROM generate_series(1, 400) AS i;
	INSERT INTO t$_ SELECT i, test_vector($dims, i) FROM generate_series(401, 500) AS i;} } 0 .. $#aimed)
	. "\nCHECKPOINT;");

my @paths = map { $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('v$_')") } 0 .. $#aimed;

$node->stop;
foreach my $i (0 .. $#aimed)
{
	my @blocks = unpack("(a$page_size)*", slurp_file($paths[$i]));

	$aimed[$i][1]->(\@blocks);
	open(my $file, '>:raw', $paths[$i]) or die "cannot write $paths[$i]: $!";
	print $file join('', @blocks);
	close($file);
}
$node->start;

# How one statement for each of these tables ends: the SQLSTATEs, in order.
sub endings
{
	my ($statement, @tables) = @_;
	my $script = join("\n", map {
			my $dims = dims_of($_);
			(my $sql = $statement) =~ s/#/$_/g;
			$sql =~ s/DIMS/$dims/g;
			"$sql;\n\\echo # :SQLSTATE"
		} @tables);
	my ($status, $out, $err) = $node->psql('postgres',
		"SET statement_timeout = '300s'; SET enable_seqscan = off; SET client_min_messages = error;\n$script", on_error_stop => 0);

	return map { /^# (\w{5})/ ? $1 : () } split(/\n/, $out);
}

sub check_endings
{
	my ($name, $statement, %options) = @_;
	my @tables = grep { $_ % ($options{every} // 1) == 0 } 0 .. $#aimed;
	my @states = endings($statement, @tables);
	my $good = $options{good} // qr/00000|XX002|0A000|XX001/;
	my @wrong = grep { ($states[$_] // 'crash') !~ /^(?:$good)$/ } 0 .. $#tables;

	is(join(', ', map { "$aimed[$tables[$_]][0]: " . ($states[$_] // 'crash') } @wrong), '', "$name: done or a clean error");
	return @states;
}

my $sizes = "SELECT string_agg(pg_relation_size('t' || i)::text, ' ' ORDER BY i) FROM generate_series(0, $#aimed) AS i";
my $sizes_before = $node->safe_psql('postgres', $sizes);

check_endings('ordered scan', 'SELECT id FROM t# ORDER BY v <-> test_vector(DIMS, 1) LIMIT 5');
# Of a vector or a row that looks like one, only the server can find out that it is wrong: its XX000 is judged below.
my $drained = qr/00000|XX002|0A000|XX001|XX000/;

check_endings('drained scan', 'SELECT count(*) FROM (SELECT id FROM t# ORDER BY v <-> test_vector(DIMS, 450) OFFSET 0) AS s', good => $drained);
check_endings('stats', q{SELECT hashidx_index_stats('v#')});
is($node->safe_psql('postgres', $sizes), $sizes_before, 'reading has not changed a table');

my @checks = check_endings('check', q{SELECT hashidx_check('v#', true)});

is(join(', ', map { $aimed[$_][2] && $checks[$_] eq '00000' ? $aimed[$_][0] : () } 0 .. $#aimed), '',
	'hashidx_check notices what it can know');
check_endings('insert', 'INSERT INTO t# SELECT i, test_vector(DIMS, i) FROM generate_series(490, 520) AS i');
check_endings('insert of equal vectors', 'INSERT INTO t# SELECT i, test_vector(DIMS, 1) FROM generate_series(1, 200) AS i');
check_endings('delete', 'DELETE FROM t# WHERE id % 3 = 0', good => qr/00000/);
check_endings('vacuum', 'VACUUM t#');
check_endings('scan after vacuum', 'SELECT count(*) FROM (SELECT id FROM t# ORDER BY v <-> test_vector(DIMS, 450) OFFSET 0) AS s', good => $drained);

# The cure; a build takes its time.
check_endings('reindex', 'REINDEX INDEX v#', good => qr/00000/, every => 9);
check_endings('check of what is cured', q{SELECT hashidx_check('v#', true)}, good => qr/00000/, every => 9);

my @strange = grep { !/is damaged at block|has \d+ problems?$|has a format|tuples in wrong order|could not (open|read)|invalid page/ }
  map { /ERROR:  (.*)/ ? $1 : () } split(/\n/, slurp_file($node->logfile));

is(join("\n", @strange), '', 'no other error');
no_crash($node);
$node->stop;
done_testing();
