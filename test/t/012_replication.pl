# Values that travel: COPY in the binary form, and logical replication, as text and in the
# binary form. Codes, vectors in all formats, balls and models arrive bit for bit; a model that
# has arrived gives the codes that came with it; and an index on them follows the changes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tables = q{
	CREATE TABLE item (id int PRIMARY KEY, v qvec(8), half qvec(8, f16), bytes qvec(8, int8),
		nibbles qvec(8, int4), any_v qvec, code bincode(100), any_code bincode, ball hamming_ball);
	CREATE TABLE model (name text PRIMARY KEY, model hashidx_model);
	CREATE INDEX item_code ON item USING hashidx_hamming (code)};
my $publisher = new_cluster('publisher', init => { allows_streaming => 'logical' });
my $subscriber = new_cluster('subscriber');

$publisher->safe_psql('postgres', "$tables; " . q{
	INSERT INTO item
		SELECT i, v, v, v, v, subvector(v, 1, 1 + i % 8), hashidx_simhash(v, 100),
			NULLIF(subcode(test_code(64, i), 1, i % 65), test_code(1, 64)),
			hamming_ball(test_code(9, i), i % 9)
		FROM generate_series(1, 500) AS i,
			LATERAL (SELECT ARRAY[sin(i), cos(i), i, -i, i / 7.0, 0, 0.1, i % 3]::real[]::qvec AS v)
				AS of_row
		WHERE i % 65 > 0;
	INSERT INTO item (id) VALUES (0);
	INSERT INTO model SELECT kind, hashidx_train(kind, 'item', 'v', bits, options::jsonb)
		FROM (VALUES ('simhash', 100, '{}'), ('itq', 4, '{}'), ('ksh', 20, '{"anchors": 20}'),
			('rq', 2, '{"centroids": 8}')) AS k(kind, bits, options)});

my $everything = q{
	SELECT md5(string_agg(i::text, ' ' ORDER BY id)) FROM item AS i;
	SELECT md5(string_agg(m::text, ' ' ORDER BY name)) FROM model AS m;
	SELECT md5(string_agg(hashidx_encode(model, v)::text, ' ' ORDER BY name, id))
		FROM item, model WHERE name <> 'rq'};
my $sent = $publisher->safe_psql('postgres', $everything);

# COPY in the binary form, out and in again.
my $dir = $publisher->basedir;

$publisher->safe_psql('postgres', "CREATE DATABASE copied;
	COPY item TO '$dir/item' (FORMAT binary);
	COPY model TO '$dir/model' (FORMAT binary)");
$publisher->safe_psql('copied', "CREATE EXTENSION hashidx; $tables;
	COPY item FROM '$dir/item' (FORMAT binary);
	COPY model FROM '$dir/model' (FORMAT binary)");
is($publisher->safe_psql('copied', $everything), $sent, 'COPY in the binary form brings all values');

# What the index of the subscriber finds, beside a sequential scan.
my $near = q{
	SELECT array_agg(id) FROM (SELECT id FROM item WHERE code IS NOT NULL
		ORDER BY code <~> (SELECT code FROM item WHERE id = 7), id LIMIT 30) AS i};

$publisher->safe_psql('postgres', 'CREATE PUBLICATION all_of_it FOR TABLE item, model');
$subscriber->safe_psql('postgres', $tables);
foreach my $binary ('false', 'true')
{
	my $connection = $publisher->connstr . ' dbname=postgres';

	$subscriber->safe_psql('postgres', 'TRUNCATE item, model');
	$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION s
		CONNECTION '$connection' PUBLICATION all_of_it WITH (binary = $binary)");
	$subscriber->wait_for_subscription_sync($publisher, 's');
	is($subscriber->safe_psql('postgres', $everything), $publisher->safe_psql('postgres', $everything),
		"rows that were there arrive, binary = $binary");

	$publisher->safe_psql('postgres', q{
		UPDATE item SET v = v + v, code = ~code WHERE id % 3 = 0;
		DELETE FROM item WHERE id % 11 = 0;
		INSERT INTO item (id, v, code)
			SELECT 1000 + max(id), '[1,2,3,4,5,6,7,8]', test_code(100, max(id)) FROM item;
		DELETE FROM model WHERE name = 'itq';
		INSERT INTO model SELECT 'itq', hashidx_train('itq', 'item', 'v', 3)});
	$publisher->wait_for_catchup('s');
	is($subscriber->safe_psql('postgres', $everything), $publisher->safe_psql('postgres', $everything),
		"changes arrive, binary = $binary");
	is($subscriber->safe_psql('postgres', "SET enable_seqscan = off; SET enable_sort = off; $near"),
		$publisher->safe_psql('postgres', "SET enable_indexscan = off; $near"),
		"an index follows them, binary = $binary");
	is($subscriber->safe_psql('postgres',
			q{SELECT count(*) FROM (SELECT hashidx_check('item_code', true)) AS c}),
		1, 'and is sound');
	$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION s');
}

no_crash($_) foreach $publisher, $subscriber;
$subscriber->stop;
$publisher->stop;
done_testing();
