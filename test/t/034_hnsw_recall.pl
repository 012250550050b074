# Recall: for each metric and form of the own vector, an index finds the share of the true neighbours
# that hashidx.recall asks for, with the effort it has measured itself; also for queries that are
# no rows, with a filter, for more neighbours than it was measured with, and after half of the rows came one by one.
#
# Truth is what a sequential scan says. Data are the same each time, and so are the graphs.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HxHnsw;
use HxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = 8000;
my $dims = 48;

# How far below its target a sample of so many queries may be. Rows as queries are harder than others,
# and the index knows that.
my $tolerance = 0.02;

my $node = new_cluster('hnsw_recall');

add_vectors($node);
$node->safe_psql('postgres', qq{
	CREATE TABLE item (id int, v qvec($dims), code bincode(256));
	INSERT INTO item SELECT i, v, hashidx_simhash(v, 256)
		FROM generate_series(1, $rows) AS i, test_near_vector($dims, i % 40, i) AS v;
	VACUUM ANALYZE item;});

# The mean recall of rows as queries, with these settings.
sub recall_with
{
	my ($settings, $k, $setting) = @_;

	return $node->safe_psql('postgres', qq{
		$settings
		SELECT recall_mean FROM hashidx_recall('item_v', $k, 100) WHERE setting LIKE '$setting'});
}

my @kinds = (
	[ 'v', '' ], [ 'v', 'WITH (format = f32, m = 16)' ], [ 'v', 'WITH (m = 64, code_bits = 1)' ],
	[ 'v', 'WITH (format = int8)' ], [ 'v qvec_ip_ops', '' ],
	[ 'v qvec_cosine_ops', '' ], [ 'v qvec_cosine_ops', 'WITH (format = int8)' ], [ 'code', '' ],);

foreach my $kind (@kinds)
{
	my ($column, $with) = @$kind;
	my $name = "($column) $with";

	$node->safe_psql('postgres', "CREATE INDEX item_v ON item USING hashidx_hnsw ($column) $with");
	foreach my $target (0.9, 0.95, 0.99)
	{
		my $recall = recall_with("SET hashidx.recall = $target;", 10, 'recall%');

		cmp_ok($recall, '>=', $target - $tolerance, "$name finds what a recall of $target promises");
	}
	cmp_ok(recall_with('', 100, 'recall%'), '>=', 0.85, "$name finds a hundred");
	cmp_ok(recall_with('', 10, 'ef_search = 320'), '>=', 0.98, "$name finds nearly all with effort");
	$node->safe_psql('postgres', 'DROP INDEX item_v');
}

# Queries that are no rows.
$node->safe_psql('postgres', 'CREATE INDEX item_v ON item USING hashidx_hnsw (v)');
cmp_ok($node->safe_psql('postgres', "SELECT recall_of('item', $dims, 60)"), '>=', 0.95 - $tolerance,
	'queries that are no rows');

# The effort is measured without a filter; rows that one drops must not leave fewer of the others.
foreach my $part (2, 10)
{
	$node->safe_psql('postgres',
		"CREATE OR REPLACE VIEW thinned AS SELECT v FROM item WHERE id / 40 % $part = 0");
	cmp_ok($node->safe_psql('postgres', "SELECT recall_of('thinned', $dims, 60)"), '>=', 0.95 - $tolerance,
		"one row in $part passes a filter");
}
$node->safe_psql('postgres', 'DROP VIEW thinned');

# Half of the rows built, the others inserted.
my $full = recall_with('', 10, 'ef_search = 40');

$node->safe_psql('postgres', qq{
	DROP INDEX item_v;
	CREATE TABLE others AS SELECT * FROM item WHERE id % 2 = 0;
	DELETE FROM item WHERE id % 2 = 0;
	CREATE INDEX item_v ON item USING hashidx_hnsw (v);
	INSERT INTO item SELECT * FROM others;});

my $grown = recall_with('', 10, 'ef_search = 40');

cmp_ok($grown, '>=', $full - 0.03, "inserts one by one ($grown) lose little against a build ($full)");

# All of them inserted, one cluster after the other.
$node->safe_psql('postgres', qq{
	CREATE TABLE sorted (LIKE item);
	CREATE INDEX sorted_v ON sorted USING hashidx_hnsw (v);
	INSERT INTO sorted SELECT * FROM item ORDER BY id % 40, id;
	DROP INDEX item_v;
	ALTER INDEX sorted_v RENAME TO item_v;});

my $sorted = recall_with('', 10, 'ef_search = 40');

cmp_ok($sorted, '>=', $full - 0.1, "nor do inserts in the order of clusters ($sorted)");
$node->safe_psql('postgres', 'DROP TABLE sorted');

# Many clusters, far from each other against their width: each is found, also those without an
# entry drawn at random.
$node->safe_psql('postgres', qq{
	UPDATE item SET v = test_near_vector($dims, id % 200, id);
	VACUUM item;
	CREATE INDEX item_v ON item USING hashidx_hnsw (v);});
cmp_ok($node->safe_psql('postgres', "SELECT recall_of('item', $dims, 50)"), '>=', 0.95 - $tolerance,
	'queries near each of many clusters');
cmp_ok(
	$node->safe_psql('postgres', q{SELECT recall_minimum FROM hashidx_recall('item_v', 10, 200) WHERE setting LIKE 'ef_search = 80'}),
	'>=', 0.5, 'no cluster is lost');
$node->safe_psql('postgres', 'DROP INDEX item_v');

# Clusters a hundredth of their distance from each other wide.
$node->safe_psql('postgres', qq{
	UPDATE item SET v = array_fill(100, ARRAY[$dims])::qvec * test_vector($dims, id % 40) + test_vector($dims, 1000 + id);
	VACUUM item;
	CREATE INDEX item_v ON item USING hashidx_hnsw (v);});
cmp_ok(recall_with('', 10, 'ef_search = 40'), '>=', 0.85, 'rows in narrow clusters are told apart');
$node->stop;
done_testing();
