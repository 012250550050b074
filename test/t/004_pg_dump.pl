# Dump and restore: types, values, indexes with INCLUDE columns and operator
# classes come back and answer as before; the extension's own objects are not
# in the dump.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('dump', bare => 1);

$node->safe_psql('postgres', 'CREATE DATABASE before');
add_helpers($node, 'before');
$node->safe_psql('before', q{
	CREATE TABLE item (
		id int PRIMARY KEY,
		code bincode(64) NOT NULL,
		any_code bincode,
		v qvec(4),
		small qvec(4, int8),
		ball hamming_ball,
		fixed bincode(8) DEFAULT '01010101');
	INSERT INTO item SELECT i, test_near_code(64, i % 7, i), CASE WHEN i % 4 > 0 THEN test_code(100, i % 50) END,
			ARRAY[i, -i, i / 7.0, 0.1]::real[]::qvec, ARRAY[i, -i, i / 7.0, 0.1]::real[]::qvec, hamming_ball(test_code(9, i), i % 9)
		FROM generate_series(1, 2000) AS i;
	CREATE INDEX item_code ON item USING hashidx_hamming (code);
	CREATE INDEX item_more ON item USING hashidx_hamming (code bincode_hamming_ops) INCLUDE (id, v, any_code);
	CREATE INDEX item_part ON item USING hashidx_hamming (any_code) WHERE id < 1000;
	CREATE INDEX item_expr ON item USING hashidx_hamming ((~code));
	CREATE INDEX item_simhash ON item USING hashidx_hamming (hashidx_simhash(v, 128, 5));
	CREATE UNIQUE INDEX item_unique ON item (code, id);
	COMMENT ON INDEX item_code IS 'a comment';
	ALTER INDEX item_expr ALTER COLUMN 1 SET STATISTICS 100;
	CREATE MATERIALIZED VIEW near AS SELECT id FROM item WHERE bit_count(code) > 20;
	CREATE INDEX near_id ON near (id);
	CREATE TABLE part (code bincode(64), k int) PARTITION BY LIST (k);
	CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
	CREATE TABLE part2 PARTITION OF part FOR VALUES IN (2);
	CREATE INDEX part_code ON part USING hashidx_hamming (code) INCLUDE (k);
	INSERT INTO part SELECT test_code(64, i), i % 2 + 1 FROM generate_series(1, 200) AS i;

	SELECT hashidx_create_encoder('trained', hashidx_train('simhash', 'item', 'v', 64));
	CREATE TRIGGER encode BEFORE INSERT OR UPDATE ON item
		FOR EACH ROW EXECUTE FUNCTION hashidx_encode_trigger('trained', 'v', 'any_code');
});

my $dump = $node->basedir . '/dump';

sub dump_text
{
	my ($database) = @_;

	$node->command_ok([ 'pg_dump', '--no-sync', '-f', "$dump.$database", '-d', $node->connstr($database) ], "pg_dump of $database");

	# Newer servers put a random key around what psql shall take literally.
	return join("\n", grep { !/^\\(un)?restrict / } split(/\n/, slurp_file("$dump.$database")));
}

my $text = dump_text('before');

like($text, qr/CREATE EXTENSION IF NOT EXISTS hashidx/, 'the extension is in the dump');
unlike($text, qr/CREATE (TYPE|OPERATOR|ACCESS METHOD|CAST|AGGREGATE)|CREATE FUNCTION \S*(hamming|bincode|hashidx)\w*\(/,
	'its objects are not');
like($text, qr/COPY public\.hashidx_encoder \(name, owner, model\)/, 'what encoders there are is');
like($text, qr/CREATE INDEX item_more ON public.item USING hashidx_hamming \(code\) INCLUDE \(id, v, any_code\)/,
	'an index is dumped as it was made');

$node->safe_psql('postgres', 'CREATE DATABASE after; CREATE DATABASE custom');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dump.before", '-d', $node->connstr('after') ], 'restored as text');
$node->command_ok([ 'pg_dump', '--no-sync', '-Fc', '-f', $dump, '-d', $node->connstr('before') ], 'pg_dump in the custom format');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j', 2, '-d', $node->connstr('custom'), $dump ], 'restored in parallel');

is(dump_text('after'), $text, 'the dump of what was restored is the same');

my @questions = (
	'SELECT id, code FROM item ORDER BY code <~> test_code(64, 3) LIMIT 500',
	'SELECT id, v, any_code, code FROM item WHERE hamming_within(code, test_code(64, 3), 22)',
	'SELECT id FROM item WHERE id < 1000 AND hamming_within(any_code, test_code(100, 3), 0)',
	'SELECT id FROM item ORDER BY (~code) <~> test_code(64, 9) LIMIT 50',
	q{SELECT id FROM item ORDER BY hashidx_simhash(v, 128, 5) <~> hashidx_simhash('[1,2,3,4]', 128, 5) LIMIT 50},
	'SELECT k, code FROM part ORDER BY code <~> test_code(64, 17) LIMIT 20',
	q{SELECT id, hashidx_encode('trained', v) FROM item ORDER BY id},
	'SELECT e FROM hashidx_encoder AS e, generate_series(1, 2) ORDER BY name',
	'SELECT i FROM item AS i ORDER BY id');

foreach my $question (@questions)
{
	# By the index that has the order, where there is one: ties come in that of the rows.
	my $sql = "SET enable_seqscan = off; SET enable_sort = off; SELECT count(*), md5(string_agg(q::text, ' ')) FROM ($question) AS q";
	my $answer = $node->safe_psql('before', $sql);

	cmp_ok((split(/\|/, $answer))[0], '>', 1, "an answer: $question");
	is($node->safe_psql($_, $sql), $answer, "the same in $_") foreach qw(after custom);
}
is($node->safe_psql($_, q{SELECT count(hashidx_check(indexrelid, true)::text) FROM pg_index
			JOIN pg_class ON oid = indexrelid JOIN pg_am AS a ON a.oid = relam WHERE amname = 'hashidx_hamming' AND relkind = 'i'}),
	7, "all indexes are sound in $_") foreach qw(before after custom);

# The extension goes with all that depends on it, and comes back.
$node->safe_psql('after', 'DROP EXTENSION hashidx CASCADE; CREATE EXTENSION hashidx');

no_crash($node);
$node->stop;
done_testing();
