# Damaged pages: whatever stands in the file of an index, every statement ends,
# with an answer or with an error that names the block and says REINDEX; no
# backend crashes, the table is left alone, and REINDEX cures the index.
#
# Many small tables with one index each are damaged at once while the server is
# down: first aimed at every field of the format, then at random.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HX_SEED} // 20250605;
my $random = $ENV{HX_ROUNDS} // 200;

# From 18 on there are checksums unless told otherwise, and the server would notice first.
my $node = new_cluster('damage', init => { no_data_checksums => 1 });
my $page_size = page_size($node);

# Where things are in a page.
my ($lower, $upper, $special) = (12, 14, 16);
my $contents = 24;
my ($next, $kind, $flags, $page_id) = ($page_size - 8, $page_size - 4, $page_size - 3, $page_size - 2);
my ($stride, $codes, $rows) = ($contents, $contents + 2, $contents + 4);
my %kinds = (meta => 1, codes => 2, payload => 3);

srand($seed);

sub number
{
	return int(rand(shift));
}

# The blocks of an index file, as strings.
sub read_blocks
{
	my ($path) = @_;
	my $file = slurp_file($path);

	return unpack("(a$page_size)*", $file);
}

sub write_blocks
{
	my ($path, @blocks) = @_;

	open(my $file, '>:raw', $path) or die "cannot write $path: $!";
	print $file join('', @blocks);
	close($file);
	return;
}

# The number of the first or last block of a kind.
sub block_of
{
	my ($which, $blocks) = @_;
	my ($place, $name) = split(/ /, $which);
	my @found = grep { ord(substr($blocks->[$_], $kind, 1)) == $kinds{$name} } 0 .. $#$blocks;

	return $place eq 'first' ? $found[0] : $found[-1];
}

sub put
{
	my ($block, $offset, $value) = @_;

	return sub {
		my ($blocks) = @_;
		my $bytes = ref($value) ? $value->($blocks) : $value;
		substr($blocks->[ block_of($block, $blocks) ], $offset, length($bytes)) = $bytes;
	};
}

sub u16 { return pack('S', shift); }
sub u32 { return pack('L', shift); }

# Each: a name, the damage, and what whoever reads all codes must end with. Words:
# "exact" - the damage does not concern a scan; "damage" - it must be noticed; "future" - the
# format is not ours; "core" - the server finds it; "undetected" - a page that is gone is not missed (hashidx_check misses it).
my @aimed = (
	[ 'magic',						'damage',	put('first meta', $contents, u32(0x12345678)) ],
	[ 'format of the future',		'future',	put('first meta', $contents + 4, u16(2)) ],
	[ 'format 0',					'future',	put('first meta', $contents + 4, u16(0)) ],
	[ 'another method',				'future',	put('first meta', $contents + 6, u16(4)) ],
	[ 'chunk tables without keys',	'future',	put('first meta', $contents + 6, u16(2)) ],
	[ 'chunk tables that are not',	'damage',	put('first meta', $contents + 6, u16(3)) ],
	[ 'more bits',					'damage',	put('first meta', $contents + 8, u32(513)) ],
	[ 'no bits',					'damage',	put('first meta', $contents + 8, u32(0)) ],
	[ 'all bits',					'damage',	put('first meta', $contents + 8, u32(0xffffffff)) ],
	[ 'other rows',					'damage',	put('first meta', $contents + 12, u16(6)) ],
	[ 'rows of no bytes',			'damage',	put('first meta', $contents + 12, u16(0)) ],
	[ 'metapage of another kind',	'damage',	put('first meta', $kind, chr(2)) ],
	[ 'metapage of nobody',			'damage',	put('first meta', $page_id, u16(0xff80)) ],
	[ 'metapage without contents',	'damage',	put('first meta', $lower, u16($contents)) ],
	[ 'metapage zero',				'damage',	sub { $_[0][0] = "\0" x $page_size } ],
	[ 'metapage random',			'damage',	sub { substr($_[0][0], $contents) = join('', map { chr(number(256)) } 1 .. $page_size - $contents) } ],
	[ 'list of codes beyond the end',	'exact', put('first meta', $contents + 16, u32(100000)) ],
	[ 'list of payloads beyond the end', 'exact', put('first meta', $contents + 20, u32(0xfffffffe)) ],
	[ 'list of codes to the metapage',	'exact', put('first meta', $contents + 16, u32(0)) ],
	[ 'list of codes to a payload page', 'exact', put('first meta', $contents + 16, sub { u32(block_of('last payload', $_[0])) }) ],
	[ 'list of payloads to a codes page', 'exact', put('first meta', $contents + 20, sub { u32(block_of('last codes', $_[0])) }) ],
	[ 'list in circles',			'exact',	put('last codes', $next, sub { u32(block_of('last codes', $_[0])) }) ],
	[ 'list of payloads in circles', 'exact',	put('last payload', $next, sub { u32(block_of('last payload', $_[0])) }) ],
	[ 'list goes on beyond the end', 'exact',	put('last codes', $next, u32(70000)) ],
	[ 'list goes on at the metapage', 'exact',	put('last codes', $next, u32(0)) ],
	[ 'list with a page of none',	'exact',	put('last codes', $flags, chr(0)) ],

	[ 'page id',					'damage',	put('last codes', $page_id, u16(0xff90)) ],
	[ 'kind 0',						'damage',	put('last codes', $kind, chr(0)) ],
	[ 'kind 9',						'damage',	put('last codes', $kind, chr(9)) ],
	[ 'second metapage',			'damage',	put('last codes', $kind, chr(1)) ],
	[ 'codes as payloads',			'undetected', put('first codes', $kind, chr(3)) ],
	[ 'payloads as codes',			'damage',	put('first payload', $kind, chr(2)) ],
	# The server itself looks at the header of a page that it reads.
	[ 'special space elsewhere',	'core',	put('first codes', $special, u16(8000)) ],
	[ 'special space beyond',		'core',	put('first codes', $special, u16(0x7fff)) ],
	[ 'lower beyond upper',			'core',	put('first codes', $lower, u16($page_size - 2)) ],
	[ 'lower in the header',		'damage',	put('first codes', $lower, u16(4)) ],
	[ 'lower not where it should be', 'damage',	put('first codes', $lower, u16(1000)) ],
	[ 'upper beyond special',		'core',	put('first codes', $upper, u16($page_size - 2)) ],
	[ 'upper zero, the rest not',	'core',	put('first codes', $upper, u16(0)) ],
	[ 'no free space',				'damage',	put('last codes', $upper, sub { substr($_[0][ block_of('last codes', $_[0]) ], $lower, 2) }) ],
	[ 'stride too large',			'damage',	put('first codes', $stride, u16(60000)) ],
	[ 'stride 0',					'damage',	put('first codes', $stride, u16(0)) ],
	[ 'more codes than stride',		'damage',	put('first codes', $codes, u16(5000)) ],
	[ 'no codes',					'damage',	put('first codes', $codes, u16(0)) ],
	[ 'fewer codes',				'damage',	put('first codes', $codes, u16(1)) ],
	[ 'too many rows',				'damage',	put('first codes', $rows, u16(60000)) ],
	[ 'no rows',					'damage',	put('first codes', $rows, u16(0)) ],
	[ 'codes page zero',			'undetected', sub { $_[0][ block_of('first codes', $_[0]) ] = "\0" x $page_size } ],
	[ 'payload page zero',			'exact',	sub { $_[0][ block_of('first payload', $_[0]) ] = "\0" x $page_size } ],
	[ 'last page cut off',			'any',		sub { pop @{ $_[0] } } ],
	[ 'only the metapage left',		'undetected', sub { $#{ $_[0] } = 0 } ],
	[ 'nothing left',				'core',	sub { @{ $_[0] } = () } ],

	# Rows; with runs on the page, so that their flags count.
	[ 'first row continues',		'damage',	sub { patch_row($_[0], 0, 4, sub { $_[0] | 0x8000 }) } ],
	[ 'no row continues',			'damage',	sub { patch_row($_[0], $_, 4, sub { $_[0] & 0x7fff }) for 0 .. 40 } ],
	[ 'row in no block',			'damage',	sub { patch_row($_[0], 3, 0, sub { 0xffff }); patch_row($_[0], 3, 2, sub { 0xffff }) } ],
	[ 'row beyond the table',		'damage',	sub { patch_row($_[0], 3, 2, sub { 5000 }) } ],
	[ 'row without number',			'damage',	sub { patch_row($_[0], 3, 4, sub { $_[0] & 0x8000 }) } ],
	[ 'row with a large number',	'any',		sub { patch_row($_[0], 3, 4, sub { $_[0] & 0x8000 | 5000 }) } ],
	[ 'payload in no block',		'exact',	sub { patch_row($_[0], 3, 6, sub { 0xffff }); patch_row($_[0], 3, 8, sub { 0xffff }) } ],
	[ 'payload on the metapage',	'exact',	sub { patch_row($_[0], 3, 8, sub { 0 }) } ],
	[ 'payload without number',		'exact',	sub { patch_row($_[0], 3, 10, sub { 0 }) } ],
	[ 'payload of another row',		'exact',	sub { patch_row($_[0], 3, 10, sub { $_[0] + 1 }) } ],

	# Line pointers and tuples of a payload page: the offset is the low 15 bits, the length the high ones.
	[ 'line pointer beyond the page',	'exact', put('first payload', $contents + 8, u32(0x7f00 | 1 << 15 | 40 << 17)) ],
	[ 'line pointer to the header',		'exact', put('first payload', $contents + 8, u32(4 | 1 << 15 | 40 << 17)) ],
	[ 'line pointer of great length',	'exact', put('first payload', $contents + 8, u32(8000 | 1 << 15 | 8000 << 17)) ],
	[ 'line pointer of no length',		'exact', put('first payload', $contents + 8, u32(8000 | 1 << 15)) ],
	[ 'line pointers all random',		'exact', sub { for my $i (0 .. 20) { put('first payload', $contents + 4 * $i, u32(number(1 << 31) << 1 | number(2)))->($_[0]) } } ],
	[ 'tuple longer than its item',		'exact', sub { patch_tuple($_[0], 6, u16(0x5fff)) } ],
	[ 'tuple of no size',				'exact', sub { patch_tuple($_[0], 6, u16(0x4000)) } ],
	[ 'value of a gigabyte',			'exact', sub { patch_tuple($_[0], 8, u32(0xfffffffc)) } ],
	[ 'value of 127 bytes',				'exact', sub { patch_tuple($_[0], 8, chr(0xff)) } ],
	[ 'value out of line',				'exact', sub { patch_tuple($_[0], 8, "\x01\x12" . u32(100) . u32(100) . u32(99) . u32(99)) } ],
	[ 'compressed value of no size',	'exact', sub { patch_tuple($_[0], 8, u32(4 << 2 | 2)) } ],
	[ 'all values NULL',				'exact', sub { patch_tuple($_[0], 6, u16(0x8000 | 32)) } ],
);

# Changes a 16-bit word of a row on the first codes page.
sub patch_row
{
	my ($blocks, $row, $offset, $change) = @_;
	my $block = block_of('first codes', $blocks);
	my $at = $contents + 8 + unpack('S', substr($blocks->[$block], $stride, 2)) * 64 + $row * 12 + $offset;

	substr($blocks->[$block], $at, 2) = u16($change->(unpack('S', substr($blocks->[$block], $at, 2))));
	return;
}

# Overwrites a part of the third tuple of the first payload page.
sub patch_tuple
{
	my ($blocks, $offset, $bytes) = @_;
	my $block = block_of('first payload', $blocks);
	my $at = (unpack('L', substr($blocks->[$block], $contents + 8, 4)) & 0x7fff) + $offset;

	substr($blocks->[$block], $at, length($bytes)) = $bytes;
	return;
}

# Random damage to an index file; half of it where the structure is.
sub damage_at_random
{
	my ($blocks) = @_;

	for (0 .. number(4))
	{
		my $block = number(scalar @$blocks);
		my $at = number(2) ? number($page_size) : (12 .. 64, $page_size - 8 .. $page_size - 1)[ number(61) ];
		my $what = number(6);

		if ($what <= 2) { substr($blocks->[$block], $at, 1) ^= chr(1 << number(8)); }
		elsif ($what == 3) { substr($blocks->[$block], $at, 1) = chr(number(256)); }
		elsif ($what == 4)
		{
			my $length = number(64);
			$length = $page_size - $at if $at + $length > $page_size;
			substr($blocks->[$block], $at, $length) = join('', map { chr(number(256)) } 1 .. $length);
		}
		else { $blocks->[$block] = $blocks->[ number(scalar @$blocks) ]; }
	}
	return;
}

# Half of the rows share their code with another one, so that pages have runs; a tenth are dead.
my $tables = @aimed + $random;

$node->safe_psql('postgres', qq{
	CREATE TABLE source AS
		SELECT i AS id, test_code(512, i / 2 % 150)::bincode(512) AS code, 'note ' || repeat(i::text, i % 20) AS note
		FROM generate_series(1, 450) AS i;

	DO \$\$
	BEGIN
		FOR i IN 0 .. $tables - 1 LOOP
			EXECUTE format('CREATE TABLE item%s (id int, code bincode(512), note text)', i);
			EXECUTE format('INSERT INTO item%s TABLE source', i);
			EXECUTE format('CREATE INDEX code%1\$s ON item%1\$s USING hashidx_hamming (code) INCLUDE (note, id)', i);
			EXECUTE format('INSERT INTO item%s SELECT id + 450, code, note FROM source WHERE id < 20', i);
			EXECUTE format('DELETE FROM item%s WHERE id %% 10 = 0', i);
		END LOOP;
	END \$\$;

	-- SQLSTATE, and what is said; a cancel is not caught.
	CREATE FUNCTION attempt(statement text, OUT state text, OUT message text) LANGUAGE plpgsql AS \$\$
	DECLARE
		hint text;
	BEGIN
		EXECUTE statement;
		state := '00000';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
		message := message || ' / ' || hint;
	END \$\$;
	});

my @paths = split(/\n/, $node->safe_psql('postgres',
		"SELECT pg_relation_filepath('code' || i) FROM generate_series(0, $tables - 1) AS i"));

$node->stop;
foreach my $i (0 .. $tables - 1)
{
	my $path = $node->data_dir . "/$paths[$i]";
	my @blocks = read_blocks($path);

	if ($i < @aimed) { $aimed[$i][2]->(\@blocks); }
	else { damage_at_random(\@blocks); }
	write_blocks($path, @blocks);
}
$node->start;

my %statements = (
	ordered => 'SELECT count(id), max(d) FROM (SELECT id, note, code <~> test_code(512, 3) AS d FROM item%s ORDER BY d LIMIT 1000) AS i',
	range => 'SELECT count(id) FROM (SELECT id, note FROM item%s WHERE hamming_within(code, test_code(512, 3), 250) OFFSET 0) AS i',
	values => 'SELECT count(id), sum(octet_length(md5(note))) FROM (SELECT id, note, code <~> test_code(512, 3) AS d FROM item%s ORDER BY d) AS i',
	pairs => 'SELECT count(*) FROM hashidx_pairs(%L, 3)',
	join => 'SELECT count(*) FROM hashidx_knn_join(%L, \'\'source\'\', \'\'code\'\', 3)',
	insert => 'INSERT INTO item%1$s SELECT id + 1000, test_code(512, id), note FROM source WHERE id < 200',
	check => 'SELECT hashidx_check(%L, true)',
	stats => 'SELECT hashidx_index_stats(%L)',
);

# Runs a statement on each table; returns [state, message] by table.
sub attempts
{
	my ($statement, $settings) = @_;
	my $sql = $statements{$statement};

	$sql =~ s/%L/''code%s''/;
	my ($status, $out, $err) = $node->psql('postgres', qq{
		SET client_min_messages = error;
		SET statement_timeout = '600s';
		SET enable_seqscan = off;
		$settings;
		SELECT i, (attempt(format('$sql', i))).* FROM generate_series(0, $tables - 1) AS i;});

	is("$status $err", '0 ', "$statement: every statement ended");

	my @result;
	foreach (split(/\n/, $out))
	{
		my ($i, $state, $message) = split(/\|/, $_, 3);
		$result[$i] = [ $state, $message ];
	}
	$result[$_] //= [ 'nothing', '' ] for 0 .. $tables - 1;
	return @result;
}

# Is it how an attempt may end? What the server finds before the access method sees the page - a
# header, a file that is too short - it reports itself; our errors name the block and the cure.
sub acceptable
{
	my ($allowed, $state, $message) = @_;

	return 1 if $state eq 'XX001' && $message =~ /^invalid page in block|^could not read blocks? 0\b/;
	return 0 unless $state =~ $allowed;
	return $state ne 'XX002' || $message =~ /(block \d+|has \d+ problem).*REINDEX INDEX/;
}

# Which damages an attempt has ended on in another way.
sub wrong
{
	my ($allowed, $from, $to, @results) = @_;
	my @wrong = grep { !acceptable($allowed, @{ $results[$_] }) } $from .. $to;

	return join("\n", map { ($_ < @aimed ? $aimed[$_][0] : "random $_") . ": @{$results[$_]}" } @wrong);
}

my $sizes = "SELECT string_agg(pg_relation_size('item' || i)::text, ' ' ORDER BY i) FROM generate_series(0, $tables - 1) AS i";
my $sizes_before = $node->safe_psql('postgres', $sizes);
my %allowed = (
	exact => qr/00000/, damage => qr/XX002/, future => qr/0A000/,
	core => qr/XX001/, undetected => qr/00000/, any => qr/00000|XX002/);

# Readers.
foreach my $scan (
	[ 'ordered', 'SET enable_indexonlyscan = off; SET enable_bitmapscan = off' ],
	[ 'values', 'SET enable_bitmapscan = off' ],
	[ 'range', 'SET enable_indexonlyscan = off; SET enable_indexscan = off' ],
	[ 'range', 'SET enable_indexonlyscan = off; SET enable_bitmapscan = off' ],
	[ 'pairs', '' ],
	[ 'join', '' ],
	[ 'stats', '' ])
{
	my ($statement, $settings) = @$scan;
	my @results = attempts($statement, $settings);

	if ($statement =~ /^(ordered|pairs|join)$/)
	{
		is(wrong($allowed{ $aimed[$_][1] }, $_, $_, @results), '', "$statement, $aimed[$_][0]: $aimed[$_][1]") for 0 .. $#aimed;
	}
	is(wrong(qr/00000|XX002|0A000/, 0, $tables - 1, @results), '', "$statement: an answer or a clean error ($settings)");
}
is($node->safe_psql('postgres', $sizes), $sizes_before, 'reading has not changed a table');

# Where a scan must not be concerned, it gives the right rows.
my @exact = grep { $aimed[$_][1] eq 'exact' } 0 .. $#aimed;
is( differences($node, ['Index Scan'],
		[ map { "SELECT id, code FROM item$_ ORDER BY code <~> test_code(512, 3) {tie}" } @exact ], 'SET enable_indexonlyscan = off;'),
	'', 'undamaged parts give right answers');

# The checker finds every aimed damage.
my @checks = attempts('check', '');
is(wrong(qr/XX002|0A000/, 0, $#aimed, @checks), '', 'hashidx_check finds every aimed damage');
is(wrong(qr/00000|XX002|0A000/, 0, $tables - 1, @checks), '', 'hashidx_check: a clean verdict');

# Writers.
my @inserts = attempts('insert', '');
is(wrong(qr/00000|XX002|0A000/, 0, $tables - 1, @inserts), '', 'insert: done or a clean error');

my ($status, $out, $err) = $node->psql('postgres',
	"\\set VERBOSITY verbose\nSET statement_timeout = '600s';\n" . join("\n", map { "VACUUM item$_;" } 0 .. $tables - 1),
	on_error_stop => 0);
my @errors = grep { /ERROR|FATAL|server closed/ } split(/\n/, $err);
is(join("\n", grep { !/ERROR:  (XX002|0A000|XX001: invalid page|XX001: could not read blocks? 0\b)/ } @errors), '', 'vacuum: done or a clean error');
cmp_ok(scalar @errors, '>', 20, 'vacuum notices damage');

# The cure.
$node->safe_psql('postgres', join("\n", map { "REINDEX INDEX code$_;" } 0 .. $tables - 1));
is(wrong(qr/00000/, 0, $tables - 1, attempts('check', '')), '', 'REINDEX cures');
is(wrong(qr/00000/, 0, $tables - 1, attempts('values', '')), '', 'a cured index answers');

no_crash($node);
$node->stop;
done_testing();
