-- Sets of a text's runs of words or characters, and sets of hashes.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- Words: letters, digits and all beyond ASCII; what stands between them does not matter.
SELECT hashidx_shingles('The quick, brown fox -- the quick!', 2);
SELECT hashidx_shingles('  a b  ', 1), hashidx_shingles('a b', 2), hashidx_shingles('a' || E'\t\n' || 'b.', 2, 'words');
SELECT hashidx_shingles('it''s na' || chr(239) || 've 2 4', 1) AS words_beyond_ascii;

-- Shorter texts are one shingle; texts without a word are empty sets.
SELECT hashidx_shingles('only three words', 5), hashidx_shingles('', 3), hashidx_shingles(' ... ', 3);

-- Characters: runs of white space are one, whole characters are counted.
SELECT hashidx_shingles('abcab', 2, 'characters'), hashidx_shingles(E' a \n b ', 3, 'characters'),
	   hashidx_shingles('ab', 3, 'characters'), hashidx_shingles('', 1, 'characters'), hashidx_shingles('a-b', 2, 'characters');
SELECT hashidx_shingles('x' || chr(8364) || chr(128512), 2, 'characters') = ARRAY['x' || chr(8364), chr(8364) || chr(128512)] AS whole_characters;

-- Case counts; lower() is for who does not want it.
SELECT hashidx_shingles('A a', 1), hashidx_shingles(lower('A a'), 1);

-- Similarity of texts.
SELECT hashidx_shingles('a rose is a rose is a rose', 3) <%> hashidx_shingles('a rose is a rose', 3) AS distance;

-- Hashes are as similar as the strings, ascending, each once.
SELECT a <%> b AS strings, hashidx_element_hashes(a) <%> hashidx_element_hashes(b) AS hashes,
	   cardinality(hashidx_element_hashes(a || b)) AS count
FROM (SELECT hashidx_shingles('the cat sat on the mat', 1) AS a, hashidx_shingles('the dog sat on the cat', 1) AS b) t;
SELECT hashidx_element_hashes(ARRAY['a', 'b', 'a']), hashidx_element_hashes(ARRAY[2, 1]) = hashidx_element_hashes(ARRAY[1, 2]::bigint[]) AS by_value,
	   hashidx_element_hashes('{}'::text[]);

-- A long text.
SELECT cardinality(hashidx_shingles(string_agg('w' || i, ' '), 3)) FROM generate_series(1, 100000) i;

-- Errors.
SELECT hashidx_shingles('a', 0);
SELECT hashidx_shingles('a', 101);
SELECT hashidx_shingles('a', 1, 'lines');
SELECT hashidx_element_hashes(ARRAY['a', NULL]);
SELECT hashidx_element_hashes(ARRAY[now()]);
SELECT hashidx_shingles(NULL, 1) IS NULL AS nothing;
