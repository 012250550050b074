/*
 * client.c
 *	  Measures a query through libpq: one connection, one prepared statement,
 *	  the query's vector or code as a binary parameter, binary results.
 *
 * Usage: client -d CONNINFO [-e SETUP]... -c SQL [options of measure.c]
 *
 * The SQL has one parameter, $1; if it returns rows, their first column is the
 * integer id of the row. Prints a JSON object on one line: the members that
 * measure.c prints and, from EXPLAIN (ANALYZE, BUFFERS), the scan the planner
 * chose and the buffers a query touches.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAINED_QUERIES 10

/* Parameters as they travel: each row in its type's binary form. */
typedef struct Parameters
{
	char	   *data;
	int			bytes;			/* of one */
} Parameters;

typedef struct Client
{
	PGconn	   *connection;
	const char *sql;
	Parameters	parameters;
} Client;

static PGresult *
check(Client *client, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		die("%s", PQerrorMessage(client->connection));
	return result;
}

static void
put_uint32(char *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, sizeof(value));
}

/* bit and bincode: number of bits, bytes; vector and qvec: dimensions, 0, floats. */
static Parameters
make_parameters(const Rows *rows)
{
	Parameters	parameters = {.bytes = 4 + (int) rows->row_bytes};
	char	   *to = parameters.data = malloc(rows->count * (size_t) parameters.bytes);

	for (size_t i = 0; i < rows->count; i++, to += parameters.bytes)
	{
		memcpy(to + 4, rows_at(rows, i), rows->row_bytes);
		if (rows->kind == ROWS_CODES)
			put_uint32(to, rows->width);
		else
			put_uint32(to, rows->width << 16);
		for (uint32_t j = 0; rows->kind == ROWS_FLOATS && j < rows->width; j++)
		{
			uint32_t	word;

			memcpy(&word, to + 4 + 4 * j, sizeof(word));
			put_uint32(to + 4 + 4 * j, word);
		}
	}
	return parameters;
}

static const char *
parameter(const Client *client, size_t query)
{
	return client->parameters.data + query * (size_t) client->parameters.bytes;
}

static void
ask(void *state, size_t query, Answer *answer)
{
	Client	   *client = state;
	const char *value = parameter(client, query);
	const int	binary = 1;
	PGresult   *result = check(client, PQexecPrepared(client->connection, "ask", 1, &value,
													  &client->parameters.bytes, &binary, 1));

	for (int row = 0; row < PQntuples(result); row++)
	{
		uint32_t	id;

		memcpy(&id, PQgetvalue(result, row, 0), sizeof(id));
		answer_add(answer, (int32_t) ntohl(id));
	}
	PQclear(result);
}

/*
 * CPU time of the server process, from Linux's /proc; it must be on this
 * machine. The scheduler accounts it in nanoseconds, whoever else is running.
 */
static double
server_cpu_seconds(void *state)
{
	const Client *client = state;
	char		path[64];
	double		nanoseconds;
	FILE	   *in;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", PQbackendPID(client->connection));
	in = fopen(path, "r");
	if (in == NULL)
		return -1;
	if (fscanf(in, "%lf", &nanoseconds) != 1)
		nanoseconds = -1e9;
	fclose(in);
	return 1e-9 * nanoseconds;
}

/* "Buffers: shared hit=12 read=3": what the word is followed by. */
static double
buffer_count(const char *line, const char *word)
{
	const char *at = strstr(line, word);

	return at == NULL ? 0 : atof(at + strlen(word));
}

/*
 * Explains one query: returns the buffers it touched, from the top node's line,
 * and copies the line of the lowest scan to `scan`.
 */
static double
explain(Client *client, size_t query, char *scan, size_t scan_room)
{
	const char *value = parameter(client, query);
	const int	binary = 1;
	char	   *sql = malloc(strlen(client->sql) + 64);
	double		buffers = -1;

	sprintf(sql, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) %s", client->sql);

	PGresult   *result = check(client, PQexecParams(client->connection, sql, 1, NULL, &value,
													&client->parameters.bytes, &binary, 0));

	*scan = '\0';
	for (int row = 0; row < PQntuples(result); row++)
	{
		const char *line = PQgetvalue(result, row, 0);

		if (strncmp(line, "Planning", 8) == 0)
			break;
		if (buffers < 0 && strstr(line, "Buffers: "))
			buffers = buffer_count(line, "hit=") + buffer_count(line, "read=");
		if (strstr(line, " Scan") != NULL)
		{
			line += strspn(line, " ->");
			snprintf(scan, scan_room, "%.*s", (int) strcspn(line, "(\"") - 1, line);
		}
	}
	PQclear(result);
	free(sql);
	return buffers < 0 ? 0 : buffers;
}

static void
print_plan(Client *client, size_t queries)
{
	size_t		explained = queries < EXPLAINED_QUERIES ? queries : EXPLAINED_QUERIES;
	double		buffers = 0;
	char		scan[256];

	for (size_t q = 0; q < explained; q++)
		buffers += explain(client, q, scan, sizeof(scan));
	printf(", \"buffers\": %.6g, \"scan\": \"%s\"", buffers / (double) explained, scan);
}

/* The connection is made first, so that -e works wherever it stands after -d. */
static void
client_option(Client *client, int option, char *value)
{
	switch (option)
	{
		case 'd':
			client->connection = PQconnectdb(value);
			if (PQstatus(client->connection) != CONNECTION_OK)
				die("%s", PQerrorMessage(client->connection));
			break;
		case 'e':
			PQclear(check(client, PQexec(client->connection, value)));
			break;
		case 'c':
			client->sql = value;
			break;
	}
}

int
main(int argc, char **argv)
{
	Client		client = {0};
	Task		task = task_new();
	Subject		subject = {&client, ask, server_cpu_seconds};
	int			option;

	while ((option = getopt(argc, argv, "d:e:c:" TASK_OPTIONS)) != -1)
	{
		if (strchr("dec", option) != NULL)
			client_option(&client, option, optarg);
		else
			task_option(&task, option, optarg);
	}
	if (client.connection == NULL || client.sql == NULL || task.queries.count == 0)
		die("-d, -c and -q are needed");

	client.parameters = make_parameters(&task.queries);
	PQclear(check(&client, PQprepare(client.connection, "ask", client.sql, 1, NULL)));
	printf("{");
	measure(&task, &subject);
	if (task.base.count > 0)
		print_plan(&client, task.queries.count);
	printf("}\n");
	PQfinish(client.connection);
	return 0;
}
