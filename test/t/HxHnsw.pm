# HxHnsw
#	  What the tests of hashidx_hnsw share: reproducible vectors, and what can be wrong with
#	  the answer of an approximate index.

package HxHnsw;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(add_vectors complaints);

# Creates the functions behind the checks.
sub add_vectors
{
	my ($node) = @_;

	$node->safe_psql('postgres', <<'SQL');
-- Small whole numbers that depend on dims and seed only.
CREATE FUNCTION test_vector(dims int, seed bigint) RETURNS qvec IMMUTABLE STRICT LANGUAGE sql AS $$
	SELECT array_agg(get_byte(sha256(convert_to(seed || '.' || i / 32, 'UTF8')), i % 32) % 100 - 50 ORDER BY i)::int[]::qvec
	FROM generate_series(0, dims - 1) AS i
$$;

-- One of few vectors, and one near it.
CREATE FUNCTION test_near_vector(dims int, a bigint, b bigint) RETURNS qvec IMMUTABLE STRICT LANGUAGE sql AS $$
	SELECT array_agg(get_byte(sha256(convert_to(a || '.' || i / 32, 'UTF8')), i % 32) % 100 - 50
		+ get_byte(sha256(convert_to(b || ':' || i / 32, 'UTF8')), i % 32) % 9 ORDER BY i)::int[]::qvec
	FROM generate_series(0, dims - 1) AS i
$$;

-- NULL, or what is wrong: a scan of the index that is read to its end must give exactly the rows
-- that a sequential scan sees in the same snapshot, in order of distance. What the search of a
-- graph found too late for that order comes at the end, in an order of its own.
CREATE FUNCTION complaint(source text, query qvec, operator text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	command text := format('SELECT id, v %s $1 AS d FROM %I WHERE v IS NOT NULL', operator, source);
	expected text[];
	answer text[];
	plan text := '';
	line text;
	falls int;
BEGIN
	PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true);
	EXECUTE format('SELECT array_agg(a::text ORDER BY a::text) FROM (%s) AS a', command) INTO expected USING query;
	PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true),
		set_config('enable_sort', 'off', true);
	command := format('%s ORDER BY v %s $1', command, operator);
	FOR line IN EXECUTE 'EXPLAIN ' || command USING query LOOP
		plan := plan || line;
	END LOOP;
	IF position('Index Scan' IN plan) = 0 THEN
		RETURN 'no index scan: ' || plan;
	END IF;
	EXECUTE format('WITH a AS MATERIALIZED (%s), b AS (SELECT a, d < lag(d) OVER () AS falls FROM a)
		SELECT array_agg(a::text ORDER BY a::text), count(*) FILTER (WHERE falls) FROM b', command)
		INTO answer, falls USING query;
	IF answer IS DISTINCT FROM expected THEN
		RETURN format('%s rows instead of %s, wrong: %s, missing: %s', cardinality(answer), cardinality(expected),
			(SELECT array_agg(i) FROM (SELECT unnest(answer) EXCEPT ALL SELECT unnest(expected) LIMIT 3) AS w (i)),
			(SELECT array_agg(i) FROM (SELECT unnest(expected) EXCEPT ALL SELECT unnest(answer) LIMIT 3) AS m (i)));
	ELSIF falls > 1 THEN
		RETURN format('the distance falls %s times', falls);
	END IF;
	RETURN NULL;
END $$;

-- The share of the true 10 nearest that a scan finds, over vectors like those in the table.
CREATE FUNCTION recall_of(source text, dims int, queries int) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	command text := format('SELECT array_agg(d) FROM (SELECT v <-> $1 AS d FROM %I ORDER BY v <-> $1 LIMIT 10) AS s', source);
	expected float8[];
	answer float8[];
	found float8 := 0;
BEGIN
	FOR i IN 1 .. queries LOOP
		PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true);
		EXECUTE command INTO expected USING test_near_vector(dims, i % 50, -i);
		PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true);
		EXECUTE command INTO answer USING test_near_vector(dims, i % 50, -i);
		found := found + (SELECT count(*) FROM unnest(answer) AS a WHERE a <= expected[10]);
	END LOOP;
	RETURN found / (10 * queries);
END $$;
SQL
	return;
}

# What is wrong with the answers of a table's index, each query in a snapshot of its own.
sub complaints
{
	my ($node, $table, $operator, @queries) = @_;

	return join('', map {
			$node->safe_psql('postgres', qq{
				BEGIN ISOLATION LEVEL REPEATABLE READ;
				SELECT c FROM complaint('$table', $_, '$operator') AS c WHERE c IS NOT NULL;
				COMMIT;})
		} @queries);
}

1;
