-- 28 x 28 pixels are a vector of 784 numbers. qvec(784, f16) keeps them in half precision, which
-- holds 0 to 255 exactly; other formats are f32 (the default), int8 and int4.
CREATE EXTENSION hashidx;

CREATE TABLE images (id int PRIMARY KEY, label smallint, embedding qvec(784, f16));
CREATE TABLE queries (LIKE images INCLUDING ALL);

\copy images from program 'perl test/demo/idx_to_copy.pl /usr/share/datasets/fashion-mnist/train' (format binary)
\copy queries from program 'perl test/demo/idx_to_copy.pl /usr/share/datasets/fashion-mnist/t10k' (format binary)

CREATE TABLE kinds (label smallint PRIMARY KEY, kind text);
INSERT INTO kinds VALUES (0, 'T-shirt'), (1, 'trouser'), (2, 'pullover'), (3, 'dress'), (4, 'coat'),
    (5, 'sandal'), (6, 'shirt'), (7, 'sneaker'), (8, 'bag'), (9, 'boot');

SELECT (SELECT count(*) FROM images) AS images, (SELECT count(*) FROM queries) AS queries,
       pg_size_pretty(pg_table_size('images')) AS size;
