-- Training models on the rows of a table, extending them, and judging them.
--
-- VOLATILE: they read tables, for as long as a training takes. PARALLEL UNSAFE: they
-- have threads of their own, and run queries.

CREATE FUNCTION hashidx_train(kind text, source regclass, source_column name, bits integer,
		options jsonb DEFAULT '{}') RETURNS hashidx_model
	AS 'MODULE_PATHNAME', 'hashidx_train' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION hashidx_train(kind text, source regclass, source_column name, bits integer,
		options jsonb) IS
	'model of the kind, learned from a sample of a column of vectors';

CREATE FUNCTION hashidx_train_pair(kind text, source regclass, first_column name, second_column name,
		bits integer, options jsonb DEFAULT '{}', OUT first hashidx_model, OUT second hashidx_model)
	AS 'MODULE_PATHNAME', 'hashidx_train_pair' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION hashidx_train_pair(kind text, source regclass, first_column name, second_column name,
		bits integer, options jsonb) IS
	'two models that share their outputs, learned from pairs of vectors in two columns';

CREATE FUNCTION hashidx_extend(model hashidx_model, source regclass, source_column name,
		codes_column name, options jsonb DEFAULT '{}') RETURNS hashidx_model
	AS 'MODULE_PATHNAME', 'hashidx_extend' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION hashidx_extend(model hashidx_model, source regclass, source_column name,
		codes_column name, options jsonb) IS
	'model that has learned from the rows without a code, while the codes of the others stay valid';

CREATE FUNCTION hashidx_encoder_recall(model hashidx_model, source regclass, source_column name,
		k integer DEFAULT 10, candidates integer DEFAULT 100, sample integer DEFAULT 100,
		metric text DEFAULT 'l2',
		OUT queries integer, OUT recall_mean double precision, OUT recall_minimum double precision)
	AS 'MODULE_PATHNAME', 'hashidx_encoder_recall' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION hashidx_encoder_recall(model hashidx_model, source regclass, source_column name,
		k integer, candidates integer, sample integer, metric text) IS
	'share of the true k nearest vectors that are among the nearest codes, over sampled rows';

-- What these functions are at, as the server's views pg_stat_progress_* show it of its commands.

CREATE FUNCTION hashidx_progress_info(OUT pid integer, OUT datid oid, OUT relid oid,
		OUT function text, OUT kind text, OUT phase text, OUT done bigint, OUT total bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hashidx_progress_info' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION hashidx_progress_info() IS
	'running trainings, extensions and judgements of models; details only of sessions that the caller may see';

CREATE VIEW hashidx_progress AS
	SELECT i.pid, i.datid, d.datname, i.relid, i.function, i.kind, i.phase, i.done, i.total
	FROM hashidx_progress_info() AS i LEFT JOIN pg_catalog.pg_database AS d
		ON d.oid OPERATOR(pg_catalog.=) i.datid;
COMMENT ON VIEW hashidx_progress IS
	'trainings, extensions and judgements of models that are under way';
GRANT SELECT ON hashidx_progress TO PUBLIC;
