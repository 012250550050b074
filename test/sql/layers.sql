-- hashidx_model_from_layers: networks trained elsewhere, and what is refused
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- What a network of layers makes of a vector.
CREATE FUNCTION pg_temp.run(layers text, v qvec) RETURNS qvec LANGUAGE sql AS $$
	SELECT hashidx_transform(hashidx_model_from_layers(jsonb_build_object('input', qvec_dims(v), 'layers', layers::jsonb)), v)
$$;

-- One layer at a time, by hand.
SELECT what, pg_temp.run(layers, v)
FROM (VALUES
	('linear', '[{"type": "linear", "weights": [[1, 2, 3], [4, 5, -6]], "bias": [10, 20]}]', '[1,1,2]'::qvec),
	('linear without bias', '[{"type": "linear", "weights": [[1, 2, 3], [4, 5, -6]]}]', '[1,1,2]'),
	('scale', '[{"type": "scale", "weights": [0.5, 0, -2]}]', '[3,4,5]'),
	('batchnorm', '[{"type": "batchnorm", "mean": [1, 2], "var": [4, 0.25], "gamma": [3, 1], "beta": [0.5, -1], "eps": 0}]', '[3,3]'),
	('batchnorm plain', '[{"type": "batchnorm", "mean": [1, 2], "var": [3, 0], "eps": 1}]', '[3,3]'),
	('relu', '[{"type": "relu"}]', '[1,-1,0]'),
	('tanh', '[{"type": "tanh"}]', '[0,100,-100]'),
	('l2norm', '[{"type": "l2norm"}]', '[3,-4]'),
	('concat', '[{"type": "relu", "name": "r"}, {"type": "concat", "inputs": ["input", "r", "r"]}]', '[1,-1]'),
	('subtract', '[{"type": "relu", "name": "r"}, {"type": "subtract", "inputs": ["input", "r"]}]', '[1,-1]'),
	('input named', '[{"type": "relu", "name": "r"}, {"type": "l2norm"}, {"type": "batchnorm", "input": "r", "mean": [1, 1], "var": [1, 1], "eps": 0}]', '[3,4]'),
	('input is the vector', '[{"type": "relu"}, {"type": "l2norm", "input": "input"}]', '[3,-4]')
	) AS t(what, layers, v);

-- eps is 0.00001 unless it is given; parameters are rounded once, to the nearest float.
SELECT pg_temp.run('[{"type": "batchnorm", "mean": [0], "var": [0]}]', '[1]') AS default_eps, (1 / sqrt(0.00001))::real AS wanted,
	pg_temp.run('[{"type": "linear", "weights": [[0.1], [16777217], [1e-46], [3.4028235e38]]}]', '[1]') AS rounded;

-- Batch normalisation behind a matrix is what folding it into the matrix gives.
SELECT pg_temp.run('[{"type": "linear", "weights": [[1, 2], [3, -4]], "bias": [1, 1]},
		{"type": "batchnorm", "mean": [2, 0], "var": [16, 4], "gamma": [2, 4], "beta": [0.25, 1], "eps": 0}]', '[3,5]') AS layers,
	pg_temp.run('[{"type": "linear", "weights": [[0.5, 1], [6, -8]], "bias": [-0.25, 3]}]', '[3,5]') AS folded;

-- Codes: a sign layer ends the network. CSCE-Net's thresholds depend on the input: z - t(x).
SELECT v, hashidx_encode(hashidx_model_from_layers('{"input": 2, "kind": "layers", "layers": [
		{"type": "linear", "weights": [[1, 0], [0, 1], [1, 1]]}, {"type": "sign", "thresholds": [0.5, 0.5, 1.5]}]}'), v) AS thresholds,
	hashidx_encode(hashidx_model_from_layers('{"input": 2, "layers": [
		{"type": "linear", "name": "z", "weights": [[1, 0], [0, 1]]}, {"type": "linear", "name": "t", "input": "input", "weights": [[0, 1], [0.5, 0]]},
		{"type": "subtract", "inputs": ["z", "t"]}, {"type": "sign"}]}'), v) AS dynamic
FROM unnest(ARRAY['[1,1]', '[0,1]', '[0.5,0.5]', '[2,0]']::qvec[]) AS v;

-- Activation: which neurons fire. By default of all relu layers; of layers named; without bits that are dropped.
CREATE TEMP TABLE network AS SELECT '{"kind": "activation", "input": 2, "layers": [
	{"type": "linear", "name": "a", "weights": [[1, 0], [0, 1], [1, -1]]}, {"type": "relu", "name": "ra"},
	{"type": "linear", "name": "b", "weights": [[1, 1, -3], [-1, 0, 1]], "bias": [0, 0.5]}, {"type": "relu"}]}'::jsonb AS json;
CREATE FUNCTION pg_temp.pattern(more text, v qvec) RETURNS bincode LANGUAGE sql AS $$
	SELECT hashidx_encode(hashidx_model_from_layers(json || more::jsonb), v) FROM network
$$;
SELECT v, pg_temp.pattern('{}', v) AS all, pg_temp.pattern('{"code": ["a"]}', v) AS a, pg_temp.pattern('{"code": ["ra"]}', v) AS ra,
	pg_temp.pattern('{"code": ["b", "a"]}', v) AS b_a, pg_temp.pattern('{"drop": [0, 4]}', v) AS dropped,
	pg_temp.pattern('{"code": ["a"], "drop": [2, 2, 0]}', v) AS a_dropped
FROM unnest(ARRAY['[1,2]', '[2,1]', '[-1,2]', '[-1,-2]']::qvec[]) AS v;
SELECT jsonb_array_elements(hashidx_describe(hashidx_model_from_layers(json || '{"code": ["b", "a"], "drop": [1]}'))->'steps') AS step FROM network;

-- What is refused, with the number of the layer and both shapes.
SELECT pg_temp.fails(format('SELECT hashidx_model_from_layers(%L)', json)) FROM unnest(ARRAY[
	'1', '[]', '{}', '{"input": 2}', '{"input": 2, "layers": []}', '{"input": 2, "layers": {}}', '{"layers": [{"type": "relu"}]}',
	'{"input": 0, "layers": [{"type": "relu"}]}', '{"input": 16001, "layers": [{"type": "relu"}]}', '{"input": 2.5, "layers": [{"type": "relu"}]}',
	'{"input": "2", "layers": [{"type": "relu"}]}', '{"input": 1e400, "layers": [{"type": "relu"}]}',
	'{"input": 2, "layer": [], "layers": [{"type": "relu"}]}', '{"input": 2, "code": [], "layers": [{"type": "relu"}]}',
	'{"input": 2, "kind": "itq", "layers": [{"type": "relu"}]}', '{"input": 2, "kind": 8, "layers": [{"type": "relu"}]}']) AS json;
SELECT pg_temp.fails(format('SELECT hashidx_model_from_layers(%L)', '{"input": 6, "layers": ' || layers || '}')) FROM unnest(ARRAY[
	'[1]', '[{}]', '[{"type": 1}]', '[{"type": "conv"}]', '[{"type": "relu", "wights": 1}]', '[{"type": "relu", "weights": [[1]]}]',
	'[{"type": "relu"}, {"type": "concat", "input": "input", "inputs": ["input", "input"]}]',
	'[{"type": "linear"}]', '[{"type": "linear", "weights": 1}]', '[{"type": "linear", "weights": []}]', '[{"type": "linear", "weights": [1]}]',
	'[{"type": "linear", "weights": [[1, 2, 3, 4, 5]]}]',
	'[{"type": "relu"}, {"type": "relu"}, {"type": "linear", "weights": [[1,2,3,4,5], [1,2,3,4,5], [1,2,3,4,5], [1,2,3,4,5]]}]',
	'[{"type": "relu", "name": "h"}, {"type": "linear", "input": "h", "weights": [[1, 2, 3, 4, 5, 6], [1]]}]',
	'[{"type": "linear", "weights": [[1, 2, 3, 4, 5, "6"]]}]', '[{"type": "linear", "weights": [[1, 2, 3, 4, 5, [6]]]}]',
	'[{"type": "linear", "weights": [[1, 2, 3, 4, 5, null]]}]', '[{"type": "linear", "weights": [[1, 2, 3, 4, 5, 1e39]]}]',
	'[{"type": "linear", "weights": [[1, 2, 3, 4, 5, 6]], "bias": [1, 2]}]', '[{"type": "linear", "weights": [[1, 2, 3, 4, 5, 6]], "bias": 1}]',
	'[{"type": "linear", "weights": [[1, 2, 3, 4, 5, 6]], "bias": ["NaN"]}]',
	'[{"type": "batchnorm", "mean": [1, 1, 1, 1, 1, 1]}]', '[{"type": "batchnorm", "mean": [1], "var": [1]}]',
	'[{"type": "batchnorm", "mean": [1, 1, 1, 1, 1, 1], "var": [1, 1, -1, 1, 1, 1]}]',
	'[{"type": "batchnorm", "mean": [1, 1, 1, 1, 1, 1], "var": [1, 1, 1, 1, 1, 0], "eps": 0}]',
	'[{"type": "batchnorm", "mean": [1, 1, 1, 1, 1, 1], "var": [1, 1, 1, 1, 1, 1e-30], "gamma": [1, 1, 1, 1, 1, 1e30], "eps": 0}]',
	'[{"type": "batchnorm", "mean": [1, 1, 1, 1, 1, 1], "var": [1, 1, 1, 1, 1, 1], "eps": "x"}]',
	'[{"type": "relu", "name": 1}]', '[{"type": "relu", "name": ""}]', '[{"type": "relu", "name": "input"}]',
	'[{"type": "relu", "name": "a"}, {"type": "relu", "name": "a"}]', '[{"type": "relu", "input": "a"}]', '[{"type": "relu", "input": 1}]',
	'[{"type": "relu", "name": "a", "input": "a"}]', '[{"type": "concat"}]', '[{"type": "concat", "inputs": "input"}]',
	'[{"type": "concat", "inputs": ["input"]}]', '[{"type": "concat", "inputs": ["input", 1]}]', '[{"type": "concat", "inputs": ["input", "b"]}]',
	'[{"type": "linear", "name": "a", "weights": [[1, 2, 3, 4, 5, 6]]}, {"type": "subtract", "inputs": ["a", "input"]}]',
	'[{"type": "subtract", "inputs": ["input", "input", "input"]}]',
	'[{"type": "sign"}, {"type": "relu"}]', '[{"type": "sign", "thresholds": [0, 0]}]']) AS layers;
SELECT pg_temp.fails(format('SELECT hashidx_model_from_layers(%L)', json || more::jsonb)) FROM network, unnest(ARRAY[
	'{"code": []}', '{"code": ["c"]}', '{"code": "a"}', '{"drop": 1}', '{"drop": [5]}', '{"drop": [-1]}', '{"drop": [0.5]}', '{"drop": ["a"]}',
	'{"drop": [0, 1, 2, 3, 4]}', '{"layers": [{"type": "tanh"}]}', '{"layers": [{"type": "relu"}, {"type": "sign"}]}', '{"mask": []}']) AS more;

-- Limits: 64 steps, of 65,536 numbers; vectors of 16,000.
SELECT what, pg_temp.fails(format('SELECT hashidx_model_from_layers(%L)', jsonb_build_object('input', input, 'layers', layers)))
FROM (SELECT '64 steps', 3, (SELECT jsonb_agg('{"type": "relu"}'::jsonb) FROM generate_series(1, 64))
	UNION ALL SELECT '65 steps', 3, (SELECT jsonb_agg('{"type": "relu"}'::jsonb) FROM generate_series(1, 65))
	UNION ALL SELECT '65 steps', 3, (SELECT jsonb_agg('{"type": "relu"}'::jsonb) FROM generate_series(1, 63))
		|| '{"type": "batchnorm", "mean": [0, 0, 0], "var": [0, 0, 0]}'::jsonb
	UNION ALL SELECT '64000 bits', 16000, '[{"type": "concat", "inputs": ["input", "input", "input", "input"]}, {"type": "sign"}]'
	UNION ALL SELECT '80000 bits', 16000, '[{"type": "concat", "inputs": ["input", "input", "input", "input", "input"]}, {"type": "sign"}]'
	UNION ALL SELECT '64000 numbers', 16000, '[{"type": "concat", "inputs": ["input", "input", "input", "input"]}]') AS t(what, input, layers);
SELECT hashidx_model_from_layers(NULL) IS NULL AS of_null;

-- Masks and weights of one's own: what is near to a shoe by its shape is not what is by its colour.
CREATE TEMP TABLE condition (name text, model hashidx_model);
INSERT INTO condition VALUES
	('shape', hashidx_model_from_layers('{"input": 4, "layers": [{"type": "scale", "weights": [1, 1, 0, 0]}]}')),
	('colour', hashidx_model_from_layers('{"input": 4, "layers": [{"type": "scale", "weights": [0, 0, 1, 1]}]}')),
	('shape and some colour', hashidx_model_from_layers('{"input": 4, "layers": [{"type": "scale", "weights": [1, 1, 0.5, 0.5]}]}'));
CREATE TEMP TABLE thing (id int, v qvec(4));
INSERT INTO thing VALUES (1, '[9,8,0,0]'), (2, '[9,9,9,9]'), (3, '[0,0,1,0]'), (4, '[5,8,4,0]');
SELECT name, array_agg(id ORDER BY l2_distance(hashidx_transform(model, v), hashidx_transform(model, '[9,8,1,0]')), id) AS nearest
FROM condition, thing GROUP BY name ORDER BY name;

-- In front of other layers, and refused.
SELECT hashidx_encode(hashidx_model_from_layers('{"input": 2, "layers": [{"type": "scale", "weights": [0, -1]}, {"type": "sign"}]}'), '[5,-5]');
SELECT pg_temp.fails(format('SELECT hashidx_model_from_layers(%L)', layers)) FROM (VALUES
	('{"input": 2, "layers": [{"type": "scale"}]}'),
	('{"input": 2, "layers": [{"type": "scale", "weights": [1]}]}'),
	('{"input": 2, "layers": [{"type": "scale", "weights": [1, "x"]}]}'),
	('{"input": 2, "layers": [{"type": "scale", "weights": [1, 1], "bias": [1, 1]}]}')) AS t(layers);
