-- Each bit of a code tells on which side of a random plane a vector lies: vectors that point the
-- same way share most bits. Taking the mean away first puts the planes through the middle of the
-- data, so that the bits tell more.
CREATE TABLE centre AS SELECT avg(embedding) AS mean FROM images;

ALTER TABLE images ADD code bincode(256);
ALTER TABLE queries ADD code bincode(256);

UPDATE images SET code = hashidx_simhash(embedding - mean, 256) FROM centre;
UPDATE queries SET code = hashidx_simhash(embedding - mean, 256) FROM centre;
VACUUM (FULL, ANALYZE) images, queries;

SELECT id, kind, pg_column_size(embedding) AS vector_bytes, pg_column_size(code) AS code_bytes,
       left(code::text, 32) || '...' AS code
FROM images JOIN kinds USING (label) ORDER BY id LIMIT 4;
