-- The index is exact: it finds the codes with the fewest differing bits, and misses none.
CREATE INDEX images_code ON images USING hashidx_hamming (code);

SELECT pg_size_pretty(pg_table_size('images')) AS table_size,
       pg_size_pretty(pg_relation_size('images_code')) AS index_size;
