# Damaged pages of hashidx_lsh: whatever stands in the file of an index, every statement ends, with
# the right answer or with an error that names the block and says REINDEX; no backend crashes or
# hangs, and REINDEX cures the index. hashidx_check notices each damage aimed at what it can know.
#
# One table is made, copied to many in the files while the server is down, and the index of each
# copy damaged: first aimed at the fields of the format, then at random.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxDamage;
use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $random = $ENV{HX_ROUNDS} // 40;

# From 18 on there are checksums unless told otherwise, and the server would notice first.
my $node = new_cluster('lsh_damage', init => { no_data_checksums => 1 });
my $page_size = page_size($node);

my $contents = 24;
my ($lower, $upper, $special) = (12, 14, 16);
my ($next, $kind, $page_id) = ($page_size - 8, $page_size - 4, $page_size - 2);
my %kinds = (meta => 1, directory => 8, buckets => 9, long => 10, free => 11);
# Rows of a TID and a sketch of 256 bits: of one code, and of different ones. They fill pages of any size.
my $row_bytes = 6 + 32;
my ($equal_rows, $other_rows) = map { $_ * $page_size / 8192 } 300, 200;
my $rows = $equal_rows + $other_rows;

srand($ENV{HX_SEED} // 20261122);

sub float { return pack('f', shift); }

# The first block of a kind, or number n of them.
sub block_of
{
	my ($blocks, $name, $n) = @_;
	my @found = grep { ord(substr($blocks->[$_], $kind, 1)) == $kinds{$name} } 0 .. $#$blocks;

	return $found[ $n // 0 ] // die "there is no block of kind $name";
}

# A damage: these bytes at this offset of the first page of that kind.
sub put
{
	my ($name, $offset, $bytes) = @_;

	return sub {
		my ($blocks) = @_;
		my $blk = block_of($blocks, $name);
		my $value = ref($bytes) ? $bytes->($blocks, $blk) : $bytes;

		substr($blocks->[$blk], $offset, length($value)) = $value;
	};
}

# A damage to the first row of the first bucket page, or to its first reference.
sub put_row
{
	my ($what, $offset, $bytes) = @_;

	return sub {
		my ($blocks) = @_;
		my $blk = block_of($blocks, 'buckets');
		my $count = unpack('S', substr($blocks->[$blk], $contents + 8, 2));
		my @places = map { $page_size - 8 - ($_ + 1) * $row_bytes } 0 .. $count - 1;
		my ($place) = grep { ($what eq 'reference') == (substr($blocks->[$blk], $_ + 4, 2) eq "\0\0") } @places;
		my $value = ref($bytes) ? $bytes->($blocks, $blk) : $bytes;

		substr($blocks->[$blk], $place + $offset, length($value)) = $value;
	};
}

# A TID as it is stored: block high, block low, offset.
sub tid
{
	my ($blk, $offset) = @_;

	return pack('SSS', $blk >> 16, $blk & 0xffff, $offset);
}

# As damage_copies() takes them.
my @aimed = (
	[ 'magic', put('meta', $contents, u32(0x12345678)), 'checked' ],
	[ 'format of the future', put('meta', $contents + 4, u16(2)), 'checked' ],
	[ 'unused after the format', put('meta', $contents + 6, u16(7)), '' ],
	[ 'free pages beyond the end', put('meta', $contents + 8, u32(100000)), 'checked' ],
	[ 'free pages at the metapage', put('meta', $contents + 8, u32(0)), 'checked' ],
	[ 'free pages at the root', put('meta', $contents + 8, u32(1)), 'checked' ],
	[ 'free pages at a bucket page', put('meta', $contents + 8, sub { u32(block_of($_[0], 'buckets')) }), 'checked' ],
	[ 'free pages at a long page', put('meta', $contents + 8, sub { u32(block_of($_[0], 'long')) }), 'checked' ],
	[ 'set size', put('meta', $contents + 12, u32(0xffffffff)), '' ],
	[ 'seed', put('meta', $contents + 16, u32(0xdeadbeef)), 'checked silent' ],
	[ 'family of another metric', put('meta', $contents + 24, u32(1)), 'checked' ],
	[ 'unknown family', put('meta', $contents + 24, u32(77)), 'checked' ],
	[ 'more bits', put('meta', $contents + 28, u32(513)), 'checked' ],
	[ 'all bits', put('meta', $contents + 28, u32(0xffffffff)), 'checked' ],
	[ 'no bits', put('meta', $contents + 28, u32(0)), 'checked' ],
	[ 'no tables', put('meta', $contents + 32, u32(0)), 'checked' ],
	[ 'fewer tables', put('meta', $contents + 32, u32(2)), 'checked silent' ],
	[ 'more tables', put('meta', $contents + 32, u32(4)), 'checked silent' ],
	[ 'all tables', put('meta', $contents + 32, u32(0xffffffff)), 'checked' ],
	[ 'no hashes', put('meta', $contents + 36, u32(0)), 'checked' ],
	[ 'other hashes', put('meta', $contents + 36, u32(15)), 'checked silent' ],
	[ 'all hashes', put('meta', $contents + 36, u32(65)), 'checked' ],
	[ 'part', put('meta', $contents + 40, u32(16)), 'checked' ],
	[ 'no sketch', put('meta', $contents + 44, u32(0)), 'checked' ],
	[ 'shorter sketch', put('meta', $contents + 44, u32(24)), 'checked' ],
	[ 'longer sketch', put('meta', $contents + 44, u32(40)), 'checked' ],
	[ 'odd sketch', put('meta', $contents + 44, u32(33)), 'checked' ],
	[ 'width', put('meta', $contents + 48, float('nan')), 'checked' ],
	[ 'unused in the shape', put('meta', $contents + 52, u32(1)), 'checked' ],
	[ 'rows', put('meta', $contents + 56, "\xff" x 8), '' ],
	[ 'rows of the tuner', put('meta', $contents + 64, "\xff" x 8), '' ],
	[ 'share not a number', put('meta', $contents + 72, float('nan')), 'checked' ],
	[ 'share below zero', put('meta', $contents + 72, float(-1)), 'checked' ],
	[ 'curve not a number', put('meta', $contents + 80, float('nan')), 'checked' ],
	[ 'curve above all', put('meta', $contents + 80, float(1.5)), 'checked' ],
	[ 'neighbour not a number', put('meta', $contents + 1136, float('nan')), 'checked' ],
	[ 'too many neighbours', put('meta', $contents + 1264, u32(1000)), 'checked' ],
	[ 'metapage of another kind', put('meta', $kind, chr(8)), 'checked' ],
	[ 'metapage of another method', put('meta', $page_id, u16(0xffa1)), 'checked' ],
	[ 'metapage without contents', put('meta', $lower, u16($contents)), 'checked' ],
	[ 'metapage zero', sub { $_[0][0] = "\0" x $page_size }, 'checked' ],

	[ 'lowest key of the root', put('directory', $contents, u32(1000)), 'checked' ],
	[ 'highest key of the root', put('directory', $contents + 4, u32(1000)), 'checked' ],
	[ 'root upside down', put('directory', $contents, u32(2) . u32(1)), 'checked' ],
	[ 'root of level 1', put('directory', $contents + 8, u16(1)), 'checked' ],
	[ 'root of the last level', put('directory', $contents + 8, u16(65535)), 'checked' ],
	[ 'root without entries', put('directory', $contents + 10, u16(0)), 'checked' ],
	[ 'root with fewer entries', put('directory', $contents + 10, u16(1)), 'checked' ],
	[ 'root with all entries', put('directory', $contents + 10, u16(65535)), 'checked' ],
	[ 'first key of the root', put('directory', $contents + 12, u32(5)), 'checked' ],
	[ 'second key of the root', put('directory', $contents + 20, u32(0xfffffff0)), 'checked' ],
	[ 'child at the metapage', put('directory', $contents + 16, u32(0)), 'checked' ],
	[ 'child at the root', put('directory', $contents + 16, u32(1)), 'checked' ],
	[ 'child at the root, of level 1', sub { put('directory', $contents + 8, u16(1))->(@_); put('directory', $contents + 16, u32(1))->(@_) }, 'checked' ],
	[ 'child beyond the end', put('directory', $contents + 16, u32(0xfffffff0)), 'checked' ],
	[ 'child at a long page', put('directory', $contents + 16, sub { u32(block_of($_[0], 'long')) }), 'checked' ],
	[ 'children exchanged', sub {
		my $blk = block_of($_[0], 'directory');
		my ($a, $b) = map { substr($_[0][$blk], $contents + $_, 4) } 16, 24;
		substr($_[0][$blk], $contents + 16, 4) = $b;
		substr($_[0][$blk], $contents + 24, 4) = $a;
	}, 'checked' ],
	[ 'root with a sibling', put('directory', $next, u32(1)), 'checked' ],
	[ 'root of another kind', put('directory', $kind, chr(9)), 'checked' ],
	[ 'root free', put('directory', $kind, chr(11)), 'checked' ],
	[ 'root zero', sub { $_[0][1] = "\0" x $page_size }, 'checked' ],
	[ 'end of the root', put('directory', $lower, u16(100)), 'checked' ],

	[ 'lowest key of a bucket page', put('buckets', $contents, u32(77)), 'checked' ],
	[ 'highest key of a bucket page', put('buckets', $contents + 4, u32(77)), 'checked' ],
	[ 'highest key is the last', put('buckets', $contents + 4, u32(0xffffffff)), 'checked silent' ],
	[ 'bucket page upside down', put('buckets', $contents, u32(2) . u32(1)), 'checked' ],
	[ 'no rows', put('buckets', $contents + 8, u16(0)), 'checked' ],
	[ 'all rows', put('buckets', $contents + 8, u16(65535)), 'checked' ],
	[ 'unused of a bucket page', put('buckets', $contents + 10, u16(9)), '' ],
	[ 'key of a row', put('buckets', $contents + 12, u32(0xffffffff)), 'checked silent' ],
	[ 'key of another bucket', put('buckets', $contents + 12, u32(1)), 'checked silent' ],
	[ 'all keys the same', put('buckets', $contents + 12, sub { "\1\0\0\0" x unpack('S', substr($_[0][ $_[1] ], $contents + 8, 2)) }), 'checked silent' ],
	[ 'row beyond the table', put_row('row', 0, tid(0xfffffff0, 1)), 'checked' ],
	[ 'row of no block', put_row('row', 0, tid(0xffffffff, 1)), 'checked' ],
	[ 'row of a large number', put_row('row', 4, u16(65535)), 'checked silent' ],
	[ 'row as a reference', put_row('row', 4, u16(0)), 'checked' ],
	[ 'sketch of a row', put_row('row', 6, "\xff" x 32), 'silent' ],
	[ 'reference beyond the end', put_row('reference', 0, tid(0xfffffff0, 0)), 'checked' ],
	[ 'reference to nowhere', put_row('reference', 0, tid(0xffffffff, 0)), 'checked silent' ],
	[ 'reference to the metapage', put_row('reference', 0, tid(0, 0)), 'checked' ],
	[ 'reference to the root', put_row('reference', 0, tid(1, 0)), 'checked' ],
	[ 'reference to its own page', put_row('reference', 0, sub { tid($_[1], 0) }), 'checked' ],
	[ 'reference to a free page', put_row('reference', 0, sub { tid(block_of($_[0], 'free'), 0) }), 'checked' ],
	[ 'reference to the page of another bucket', put_row('reference', 0, sub { tid(block_of($_[0], 'long', -1), 0) }), 'checked' ],
	[ 'reference as a row', put_row('reference', 4, u16(1)), 'checked silent' ],
	[ 'buckets in circles', put('buckets', $next, sub { u32($_[1]) }), 'checked' ],
	[ 'buckets end early', put('buckets', $next, u32(0xffffffff)), 'checked' ],
	[ 'buckets go on beyond the end', put('buckets', $next, u32(0xfffffff0)), 'checked' ],
	[ 'buckets go on at a long page', put('buckets', $next, sub { u32(block_of($_[0], 'long')) }), 'checked' ],
	[ 'bucket page of another kind', put('buckets', $kind, chr(10)), 'checked' ],
	[ 'bucket page of an unknown kind', put('buckets', $kind, chr(99)), 'checked' ],
	[ 'bucket page as a metapage', put('buckets', $kind, chr(1)), 'checked' ],
	[ 'bucket page of another method', put('buckets', $page_id, u16(0xffa2)), 'checked' ],
	[ 'bucket page zero', sub { $_[0][ block_of($_[0], 'buckets') ] = "\0" x $page_size }, 'checked' ],
	[ 'end of keys', put('buckets', $lower, u16(100)), 'checked' ],
	[ 'end of rows', put('buckets', $upper, u16(8000)), 'checked' ],
	# The server itself looks at the header of a page that it reads.
	[ 'ends crossed', put('buckets', $lower, u16($page_size - 2)), 'checked' ],
	[ 'special space elsewhere', put('buckets', $special, u16(8000)), 'checked' ],

	[ 'key of a long bucket', put('long', $contents, u32(12345)), 'checked' ],
	[ 'no rows of a long bucket', put('long', $contents + 4, u16(0)), 'checked' ],
	[ 'all rows of a long bucket', put('long', $contents + 4, u16(65535)), 'checked' ],
	[ 'unused of a long page', put('long', $contents + 6, u16(9)), '' ],
	[ 'row of a long bucket beyond the table', put('long', $contents + 8, tid(70000, 3)), 'checked' ],
	[ 'row of a long bucket without a number', put('long', $contents + 12, u16(0)), 'checked' ],
	[ 'long bucket in circles', put('long', $next, sub { u32($_[1]) }), 'checked' ],
	[ 'long bucket goes on at the metapage', put('long', $next, u32(0)), 'checked' ],
	[ 'long bucket goes on beyond the end', put('long', $next, u32(0xfffffff0)), 'checked' ],
	[ 'long bucket goes on at a bucket page', put('long', $next, sub { u32(block_of($_[0], 'buckets')) }), 'checked' ],
	[ 'long bucket goes on in another', put('long', $next, sub { u32(block_of($_[0], 'long', -1)) }), 'checked' ],
	[ 'all long buckets end', sub { foreach my $blk (2 .. $#{ $_[0] }) { substr($_[0][$blk], $next, 4) = u32(0xffffffff) if ord(substr($_[0][$blk], $kind, 1)) == $kinds{long} } }, 'checked silent' ],
	[ 'long page free', put('long', $kind, chr(11)), 'checked' ],
	[ 'long page zero', sub { $_[0][ block_of($_[0], 'long') ] = "\0" x $page_size }, 'checked' ],
	[ 'end of a long page', put('long', $lower, u16(100)), 'checked' ],

	[ 'free page as a long one', put('free', $kind, chr(10)), 'checked' ],
	[ 'free pages in circles', sub { foreach my $blk (2 .. $#{ $_[0] }) { substr($_[0][$blk], $next, 4) = u32($blk) if ord(substr($_[0][$blk], $kind, 1)) == $kinds{free} } }, 'checked' ],
	[ 'free page zero', sub { $_[0][ block_of($_[0], 'free') ] = "\0" x $page_size }, 'checked' ],
	[ 'last page cut off', sub { pop @{ $_[0] } }, 'checked' ],
	[ 'only the metapage left', sub { $#{ $_[0] } = 0 }, 'checked' ],
	[ 'nothing left', sub { @{ $_[0] } = () }, 'checked' ],
);

push @aimed, random_damages($random);

# Equal codes fill long buckets, some of which vacuum empties again; the others share pages.
$node->safe_psql('postgres', qq{
	CREATE TABLE template (id int, code bincode(512));
	CREATE INDEX template_code ON template USING hashidx_lsh (code) WITH (tables = 3, bits = 16);
	INSERT INTO template SELECT i, test_code(512, 1) FROM generate_series(1, $equal_rows) AS i;
	INSERT INTO template SELECT i, test_code(512, i) FROM generate_series($equal_rows + 1, $rows) AS i;
	INSERT INTO template SELECT i, test_code(512, 2) FROM generate_series($rows + 1, $rows + $equal_rows) AS i;
	DELETE FROM template WHERE id > $rows;
	VACUUM (FREEZE, TRUNCATE false) template;});
is(check_index($node, 'template_code'), '', 'the template is sound');

damage_copies($node, 'hashidx_lsh (code) WITH (tables = 3, bits = 16)', @aimed);

my $equal = "SELECT count(*) FROM t# WHERE hamming_within(code, test_code(512, 1), 0)";
my $drained = 'SELECT count(*) FROM (SELECT id FROM t# ORDER BY code <~> test_code(512, 450) OFFSET 0) AS s';
my @bitmap = (settings => 'SET enable_indexscan = off');

check_endings('ordered scan', 'SELECT string_agg(d::text, \' \') FROM (SELECT code <~> test_code(512, 1) AS d FROM t# ORDER BY d LIMIT 3) AS s', answer => '0 0 0');
check_endings('drained scan', $drained, answer => $rows);
check_endings('range', $equal, answer => $equal_rows);
check_endings('range by bitmap', $equal, @bitmap, answer => $equal_rows);
check_endings('range of few', "SELECT count(*) FROM t# WHERE hamming_within(code, test_code(512, $rows), 0)", answer => 1);
check_endings('stats', q{SELECT hashidx_index_stats('c#')});
check_endings('pairs', q{SELECT count(*) > 44000 FROM hashidx_pairs('c#', 0)}, answer => 't');

check_notices();
check_endings('insert', 'INSERT INTO t# SELECT i, test_code(512, i) FROM generate_series(2000, 2300) AS i');
check_endings('insert of equal codes', 'INSERT INTO t# SELECT i, test_code(512, 1) FROM generate_series(1, 400) AS i');
check_endings('delete', 'DELETE FROM t# WHERE id % 3 > 0', good => qr/00000/, settings => 'SET enable_indexscan = off; SET enable_bitmapscan = off');
check_endings('vacuum', 'VACUUM t#');
check_endings('drained scan after vacuum', $drained);
check_endings('range after vacuum', $equal);

# The cure.
check_endings('reindex', 'REINDEX INDEX c#', good => qr/00000/, every => 37);
check_endings('check of what is cured', q{SELECT hashidx_check('c#', true)}, good => qr/00000/, every => 37);

no_other_errors();
no_crash($node);
$node->stop;
done_testing();
