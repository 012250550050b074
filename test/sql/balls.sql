-- Balls of vectors and sets: text, binary form, membership.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

SELECT '<[1,2.5],0.5>'::l2_ball, '<[1,2],1e3>'::cosine_ball, l2_ball('[1]', 'infinity'), cosine_ball('[3,4]'::qvec(2, int8), 0);
SELECT jaccard_ball(ARRAY[1, 2], 0.2), jaccard_ball(ARRAY[3]::bigint[], 1), jaccard_ball(ARRAY['a', 'b,c', '>'], 0.5), jaccard_ball('{}'::text[], 0);

-- What contains nothing is one ball.
SELECT l2_ball('[1]', -3), l2_ball('[1]', 'NaN'), cosine_ball('[1]', '-infinity'), jaccard_ball(ARRAY[1], -0.1), l2_ball('[1]', '-0');

-- Text and back.
SELECT ball, ball::text::jaccard_ball::text = ball::text AS same
FROM (VALUES (jaccard_ball(ARRAY[1, 2], 0.2)), (jaccard_ball(ARRAY[[1], [2]]::bigint[], 0.1)), (jaccard_ball(ARRAY['{', 'x,0.5>'], 1)), (jaccard_ball('{}'::int[], 1))) v (ball);
SELECT '<bigint[]{4,5},0.25>'::jaccard_ball;

-- Binary form and back, through files of COPY.
CREATE TABLE ball (l2 l2_ball, cosine cosine_ball, jaccard jaccard_ball);
INSERT INTO ball VALUES ('<[1,2],3>', cosine_ball('[1,2]'::qvec(2, f16), 0.5), jaccard_ball(ARRAY['a', 'b'], 0.2)),
	('<[1],-1>', '<[0],2>', '<integer[]{},0>'), (NULL, NULL, NULL);
SELECT encode(l2_ball_send(l2), 'hex') AS l2, encode(jaccard_ball_send(jaccard), 'hex') AS jaccard FROM ball;
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/balls.bin'
COPY ball TO :'file' (FORMAT binary);
CREATE TABLE copy (LIKE ball);
COPY copy FROM :'file' (FORMAT binary);
SELECT * FROM copy;
DROP TABLE copy, ball;

-- Membership is what X_within says.
SELECT count(*) FILTER (WHERE (v <@ l2_ball(q, r)) IS DISTINCT FROM l2_within(v, q, r)) AS l2,
	   count(*) FILTER (WHERE (v <@ cosine_ball(q, r)) IS DISTINCT FROM cosine_within(v, q, r)) AS cosine,
	   count(*) FILTER (WHERE v <@ l2_ball(q, r)) AS in_l2, count(*) FILTER (WHERE v <@ cosine_ball(q, r)) AS in_cosine
FROM (SELECT ARRAY[i % 7, i % 5 - 2, 1]::real[]::qvec AS v, ARRAY[j, 1, 1]::real[]::qvec AS q
	  FROM generate_series(1, 35) i, generate_series(0, 3) j) p, (VALUES (-1), (0), (0.1), (2), ('NaN'::float8)) r (r);
SELECT count(*) FILTER (WHERE (s <%@ jaccard_ball(q, r)) IS DISTINCT FROM jaccard_within(s, q, r)) AS jaccard,
	   count(*) FILTER (WHERE s <%@ jaccard_ball(q, r)) AS in_jaccard
FROM (SELECT ARRAY[i % 7, i % 5, i % 3] AS s, ARRAY[j, 1, 2] AS q
	  FROM generate_series(1, 35) i, generate_series(0, 3) j) p, (VALUES (-1), (0), (0.5), (1)) r (r);
SELECT ARRAY['a'] <%@ jaccard_ball(ARRAY['a'], 0) AS texts, '{}'::bigint[] <%@ jaccard_ball('{}'::bigint[], 0) AS empty_sets,
	   ARRAY[1] <%@ NULL AS nothing;

-- Core's operator on arrays is still found.
SELECT ARRAY[1] <@ '{1,2}' AS integers, ARRAY['a']::text[] <@ '{b}' AS texts, '{1}' <@ ARRAY[1, 2]::bigint[] AS bigints;

-- Errors.
SELECT '[1,2]'::l2_ball;
SELECT '<[1,2]>'::l2_ball;
SELECT '<[1,2],x>'::cosine_ball;
SELECT '<[1,2],1>x'::cosine_ball;
SELECT '<[1,zwei],1>'::l2_ball;
SELECT '<{1,2},1>'::jaccard_ball;
SELECT '<numeric[]{1,2},1>'::jaccard_ball;
SELECT '<integer[]{1,x},1>'::jaccard_ball;
SELECT jaccard_ball(ARRAY[1], 'NaN');
SELECT '[1,2]'::qvec <@ l2_ball('[1]', 1);
SELECT ARRAY[1] <%@ jaccard_ball(ARRAY['a'], 1);
SELECT ARRAY[1, NULL] <%@ jaccard_ball(ARRAY[1], 1);
