-- measure() runs a search for 200 pictures, or as many as said; $1 is the vector, $2 its code.
CALL measure('every vector compared',
    'SELECT id FROM images ORDER BY embedding <-> $1 LIMIT 10');

SET enable_indexscan = off;
CALL measure('every code compared, 100 re-ranked', 'SELECT id FROM nearest($1, $2)', 50);
RESET enable_indexscan;
CALL measure('codes by the index, 100 re-ranked', 'SELECT id FROM nearest($1, $2)');
CALL measure('codes by the index, 400 re-ranked', 'SELECT id FROM nearest($1, $2, 400)');

-- recall@10: the share of the ten truly nearest that was found.
SELECT * FROM result;
