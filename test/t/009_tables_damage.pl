# Damaged pages of the chunk tables of hashidx_hamming: whatever stands in the file of an index, every
# statement ends, with the right answer or with an error that names the block and says REINDEX; no
# backend crashes or hangs, and REINDEX cures the index. hashidx_check notices each damage.
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
my $node = new_cluster('tables_damage', init => { no_data_checksums => 1 });
my $page_size = page_size($node);

my $contents = 24;
my ($lower, $upper) = (12, 14);
my ($next, $kind) = ($page_size - 8, $page_size - 4);
my ($high, $chunk, $level) = ($page_size - 24, $page_size - 12, $page_size - 10);
my ($chunk_root, $extents_head) = ($contents + 24, $contents + 28);
my %kinds = (meta => 1, codes => 2, map => 12, leaf => 13, inner => 14, extents => 15);

# On a leaf: codes of 128 bits, the ends of their keys, rows.
my ($code_bytes, $key_bytes, $row_bytes) = (16, 2, 6);

srand($ENV{HX_SEED} // 20261123);

# The blocks of a kind, in order; of trees, those of table 0.
sub blocks_of
{
	my ($blocks, $name) = @_;

	return grep { ord(substr($blocks->[$_], $kind, 1)) == $kinds{$name}
		  && ($name !~ /leaf|inner/ || substr($blocks->[$_], $chunk, 2) eq u16(0)) } 0 .. $#$blocks;
}

sub block_of
{
	my ($blocks, $name, $n) = @_;

	return (blocks_of($blocks, $name))[ $n // 0 ] // die "there is no block of kind $name";
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

# A damage to code number 5 of the first leaf: its first word, the end of its key, or its row.
sub put_code
{
	my ($what, $bytes) = @_;

	return sub {
		my ($blocks) = @_;
		my $blk = block_of($blocks, 'leaf');
		my $stride = unpack('S', substr($blocks->[$blk], $contents, 2));
		my %place = (code => 5 * 8, key => $stride * $code_bytes + 5 * $key_bytes,
			row => $stride * ($code_bytes + $key_bytes) + 5 * $row_bytes);

		substr($blocks->[$blk], $contents + 8 + $place{$what}, length($bytes)) ^= $bytes;
	};
}

# Exchanges two parts of the first page of a kind.
sub exchange
{
	my ($name, $one, $other, $length) = @_;

	return sub {
		my ($blocks) = @_;
		my $blk = block_of($blocks, $name);
		my ($a, $b) = map { substr($blocks->[$blk], $_, $length) } $one, $other;

		substr($blocks->[$blk], $one, $length) = $b;
		substr($blocks->[$blk], $other, $length) = $a;
	};
}

# As damage_copies() takes them.
my @aimed = (
	[ 'tables that are not', put('meta', $contents + 6, u16(1)), 'checked silent' ],
	[ 'fewer tables in the metapage', put('meta', $contents + 14, u16(1)), 'checked' ],
	[ 'no map', put('meta', $chunk_root, u32(0xffffffff)), 'checked' ],
	[ 'map at the metapage', put('meta', $chunk_root, u32(0)), 'checked' ],
	[ 'map beyond the end', put('meta', $chunk_root, u32(70000)), 'checked' ],
	[ 'map at a leaf', put('meta', $chunk_root, sub { u32(block_of($_[0], 'leaf')) }), 'checked' ],
	[ 'no extents', put('meta', $extents_head, u32(0)), 'checked silent' ],
	[ 'extents beyond the end', put('meta', $extents_head, u32(70000)), 'checked' ],
	[ 'extents at a leaf', put('meta', $extents_head, sub { u32(block_of($_[0], 'leaf')) }), 'checked' ],

	[ 'no tables', put('map', $contents, u16(0)), 'checked' ],
	[ 'fewer tables', put('map', $contents, u16(2)), 'checked' ],
	[ 'more tables', put('map', $contents, u16(4)), 'checked' ],
	[ 'all tables', put('map', $contents, u16(65535)), 'checked' ],
	[ 'chunk of no bits', put('map', $contents + 2, chr(0)), 'checked' ],
	[ 'chunk of fewer bits', put('map', $contents + 2, chr(31)), 'checked silent' ],
	[ 'chunk of too many bits', put('map', $contents + 2, chr(33)), 'checked' ],
	[ 'bit beyond the code', put('map', $contents + 34, u16(128)), 'checked' ],
	[ 'bits exchanged', exchange('map', $contents + 34, $contents + 36, 2), 'checked silent' ],
	[ 'bit twice', put('map', $contents + 34, sub { substr($_[0][ $_[1] ], $contents + 36, 2) }), 'checked' ],
	[ 'leaves without keys', put('map', $contents + 2082, u16(0)), 'checked' ],
	[ 'keys of 4 bytes', put('map', $contents + 2082, u16(4)), 'checked' ],
	[ 'root at the metapage', put('map', $contents + 2084, u32(0)), 'checked' ],
	[ 'root beyond the end', put('map', $contents + 2084, u32(70000)), 'checked' ],
	[ 'root at a leaf', put('map', $contents + 2084, sub { u32(block_of($_[0], 'leaf')) }), 'checked silent' ],
	[ 'roots exchanged', exchange('map', $contents + 2084, $contents + 2088, 4), 'checked' ],
	[ 'map of another kind', put('map', $kind, chr(13)), 'checked' ],
	[ 'map ends early', put('map', $lower, u16(100)), 'checked' ],
	[ 'map zero', sub { $_[0][ block_of($_[0], 'map') ] = "\0" x $page_size }, 'checked' ],

	[ 'first extent at the metapage', put('extents', $contents, u32(0)), 'checked' ],
	[ 'first extent beyond the end', put('extents', $contents, u32(70000)), 'checked' ],
	[ 'extent at a leaf', put('extents', $contents, sub { u32(block_of($_[0], 'leaf')) . u32(1) }), 'checked silent' ],
	[ 'extent of too many', put('extents', $contents + 4, u32(0xffffffff)), 'checked' ],
	[ 'extent of fewer', put('extents', $contents + 4, u32(1)), 'checked silent' ],
	[ 'extents cut', put('extents', $lower, u16($contents)), 'checked silent' ],
	[ 'extents of odd length', put('extents', $lower, u16($contents + 5)), 'checked' ],
	[ 'extents in circles', put('extents', $next, sub { u32($_[1]) }), 'checked' ],
	[ 'extents go on beyond the end', put('extents', $next, u32(70000)), 'checked' ],
	[ 'extents go on at a leaf', put('extents', $next, sub { u32(block_of($_[0], 'leaf')) }), 'checked' ],
	[ 'extents of another kind', put('extents', $kind, chr(2)), 'checked' ],

	[ 'branch that leads back', put('inner', $contents, u32(0)), 'checked silent' ],
	[ 'branch that leads too far', put('inner', $contents, u32(0xfffffff0)), 'checked silent' ],
	[ 'branches out of order', exchange('inner', $contents, $contents + 16, 16), 'checked silent' ],
	[ 'children exchanged', exchange('inner', $contents + 12, $contents + 28, 4), 'checked silent' ],
	[ 'child at the metapage', put('inner', $contents + 12, u32(0)), 'checked' ],
	[ 'child beyond the end', put('inner', $contents + 12, u32(70000)), 'checked' ],
	[ 'child at no block', put('inner', $contents + 12, u32(0xffffffff)), 'checked' ],
	[ 'child at the root', put('inner', $contents + 12, sub { u32($_[1]) }), 'checked' ],
	[ 'child in another table', put('inner', $contents + 12, sub {
		my ($blocks) = @_;
		u32((grep { ord(substr($blocks->[$_], $kind, 1)) == 13 && substr($blocks->[$_], $chunk, 2) eq u16(2) } 0 .. $#$blocks)[0])
	}), 'checked' ],
	[ 'child at a codes page', put('inner', $contents + 12, sub { u32(block_of($_[0], 'codes')) }), 'checked' ],
	[ 'no branches', put('inner', $lower, u16($contents)), 'checked' ],
	[ 'fewer branches', put('inner', $lower, u16($contents + 32)), 'checked' ],
	[ 'half a branch', put('inner', $lower, u16($contents + 24)), 'checked' ],
	[ 'end of the root', put('inner', $high, u32(5)), 'checked' ],
	[ 'root of another table', put('inner', $chunk, u16(1)), 'checked' ],
	[ 'root of level 0', put('inner', $level, u16(0)), 'checked' ],
	[ 'root of level 2', put('inner', $level, u16(2)), 'checked' ],
	[ 'root of all levels', put('inner', $level, u16(65535)), 'checked' ],
	[ 'root with a neighbour', put('inner', $next, sub { u32($_[1]) }), 'checked' ],
	[ 'root zero', sub { $_[0][ block_of($_[0], 'inner') ] = "\0" x $page_size }, 'checked' ],

	[ 'end of a key', put_code('key', "\x01"), 'checked silent' ],
	[ 'key of another code', put_code('key', "\xff\xff"), 'checked silent' ],
	[ 'bit of a code', put_code('code', "\x01"), 'checked silent' ],
	[ 'word of a code', put_code('code', "\xff" x 8), 'checked silent' ],
	[ 'row beyond the table', put_code('row', "\xff\x7f"), 'checked silent' ],
	[ 'row of another number', put_code('row', "\0\0\0\0\x01\0"), 'checked silent' ],
	[ 'row that continues', put_code('row', "\0\0\0\0\0\x80"), 'checked' ],
	[ 'end of a leaf before its rows', put('leaf', $high, u32(5)), 'checked silent' ],
	[ 'end of a leaf behind the next', put('leaf', $high, u32(0xfffffff0)), 'checked silent' ],
	[ 'leaf of another table', put('leaf', $chunk, u16(2)), 'checked' ],
	[ 'leaf of no table', put('leaf', $chunk, u16(99)), 'checked' ],
	[ 'leaf of level 1', put('leaf', $level, u16(1)), 'checked' ],
	[ 'leaf in circles', put('leaf', $next, sub { u32($_[1]) }), 'checked' ],
	[ 'leaf that is the last', put('leaf', $next, u32(0xffffffff)), 'checked' ],
	[ 'leaf leads beyond the end', put('leaf', $next, u32(70000)), 'checked' ],
	[ 'leaf leads to the metapage', put('leaf', $next, u32(0)), 'checked' ],
	[ 'leaf leaves one out', put('leaf', $next, sub { u32(block_of($_[0], 'leaf', 2)) }), 'checked silent' ],
	[ 'leaf as a codes page', put('leaf', $kind, chr(2)), 'checked' ],
	[ 'leaf as an inner page', put('leaf', $kind, chr(14)), 'checked' ],
	[ 'leaf zero', sub { $_[0][ block_of($_[0], 'leaf') ] = "\0" x $page_size }, 'checked' ],
	[ 'leaves exchanged', sub {
		my ($one, $other) = (blocks_of($_[0], 'leaf'))[ 1, 3 ];
		@{ $_[0] }[ $one, $other ] = @{ $_[0] }[ $other, $one ];
	}, 'checked silent' ],
	[ 'leaf of no codes', put('leaf', $contents + 2, u16(0)), 'checked' ],
	[ 'leaf of all codes', put('leaf', $contents + 2, u16(65535)), 'checked' ],
	[ 'leaf of another stride', put('leaf', $contents, u16(60)), 'checked' ],
	[ 'bounds elsewhere', put('leaf', $upper, u16($page_size - 8)), 'checked' ],
	[ 'codes page as a leaf', put('codes', $kind, chr(13)), 'checked' ],
	[ 'last page cut off', sub { pop @{ $_[0] } }, 'checked' ],
	[ 'only the metapage left', sub { $#{ $_[0] } = 0 }, 'checked' ],
	random_damages($random));

my $index = 'hashidx_hamming (code) WITH (method = mih, chunks = 3)';

# A hundred codes have ten near ones each; every table has an inner page and a dozen of leaves.
$node->safe_psql('postgres', qq{
	CREATE TABLE template (id int, code bincode(128));
	INSERT INTO template SELECT i, CASE WHEN i > 1000 THEN test_code(128, i)
			ELSE test_code(128, i % 100) # (1::bigint << (i / 100))::bit(128)::bincode END FROM generate_series(1, 3500) AS i;
	CREATE INDEX template_code ON template USING $index;
	INSERT INTO template SELECT i, test_code(128, i) FROM generate_series(3501, 4000) AS i;
	VACUUM (FREEZE, TRUNCATE false) template;});
is(check_index($node, 'template_code'), '', 'the template is sound');
damage_copies($node, $index, @aimed);

my $near = 'SELECT count(*) FROM generate_series(0, 99) AS i, LATERAL (SELECT FROM t# WHERE hamming_within(code, test_code(128, i), 2)) AS n';
my $pairs = q{SELECT count(*) FROM hashidx_pairs('c#', 2)};
my $near_rows = $node->safe_psql('postgres',
	'SELECT count(*) FROM generate_series(0, 99) AS i, template WHERE hamming_distance(code, test_code(128, i)) <= 2');
my $near_pairs = $node->safe_psql('postgres',
	'SELECT count(*) FROM template a, template b WHERE a.id < b.id AND a.id <= 1000 AND hamming_distance(a.code, b.code) <= 2');

cmp_ok($near_rows, '>=', 1000, 'there is something to find');
check_endings('range', $near, answer => $near_rows, settings => 'SET enable_bitmapscan = off');
check_endings('range by bitmap', $near, answer => $near_rows, settings => 'SET enable_indexscan = off; SET enable_indexonlyscan = off');
check_endings('ordered scan', 'SELECT string_agg(d::text, \' \') FROM (SELECT code <~> test_code(128, 3) AS d FROM t# ORDER BY d LIMIT 3) AS s', answer => '1 1 1');
check_endings('drained scan', 'SELECT count(id) FROM (SELECT id FROM t# ORDER BY code <~> test_code(128, 450) OFFSET 0) AS s', answer => 4000);
check_endings('pairs', $pairs, answer => $near_pairs);
check_endings('stats', q{SELECT hashidx_index_stats('c#')});
check_notices();
check_endings('insert', 'INSERT INTO t# SELECT i, test_code(128, i) FROM generate_series(5000, 5300) AS i');
check_endings('insert of equal codes', 'INSERT INTO t# SELECT i, test_code(128, 1) FROM generate_series(1, 500) AS i');
check_endings('delete', 'DELETE FROM t# WHERE id % 3 > 0', good => qr/00000/, settings => 'SET enable_indexscan = off; SET enable_bitmapscan = off');
check_endings('vacuum', 'VACUUM t#');
check_endings('range after vacuum', $near);
check_endings('pairs after vacuum', $pairs);

# The cure.
check_endings('reindex', 'REINDEX INDEX c#', good => qr/00000/, every => 23);
check_endings('check of what is cured', q{SELECT hashidx_check('c#', true)}, good => qr/00000/, every => 23);

no_other_errors();
no_crash($node);
$node->stop;
done_testing();
