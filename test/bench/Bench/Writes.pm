# Writes.pm
#     What the index costs: the time to build it, its size, and the rate of
#     inserts with and without it.

package Bench::Writes;

use strict;
use warnings;

use JSON::PP ();

use Bench::DataSet;
use Bench::Shell qw(capture note median);

# Builds the index on codes as often as there are runs and leaves it there.
sub build
{
	my ($set, $bench) = @_;
	my ($server, $name) = ($bench->{server}, $set->{name});
	my (@scans, @builds);

	note("$name: building the index");
	for (1 .. $bench->{runs})
	{
		$server->sql($name, 'DROP INDEX IF EXISTS codes_code_idx');
		push @scans, $server->seconds($name, 'SELECT count(code) FROM codes');
		push @builds,
			$server->seconds($name,
			'CREATE INDEX codes_code_idx ON codes USING hashidx_hamming (code)');
	}

	my $bytes = $server->sql($name, q{SELECT pg_relation_size('codes_code_idx')});

	$server->sql($name, 'VACUUM ANALYZE codes', 'CHECKPOINT');
	return {
		scan_seconds => median(@scans),
		build_seconds => median(@builds),
		bytes_per_row => $bytes / $set->{rows},
		code_bytes => int(($set->{bits} + 7) / 8),
	};
}

# Inserts a second into a copy of the table, without and with an index, in turns:
# the medians of many rows in one transaction, and single rows, each in its own.
sub inserts
{
	my ($set, $bench) = @_;
	my %rates;

	for (1 .. $bench->{runs})
	{
		for my $with (qw(without with))
		{
			my $once = insert_once($set, $bench, $with eq 'with');

			push @{ $rates{$with}{$_} }, $once->{$_} for keys %$once;
		}
	}
	for my $rate (values %rates)
	{
		$_ = median(@$_) for values %$rate;
	}
	return \%rates;
}

sub insert_once
{
	my ($set, $bench, $indexed) = @_;
	my ($server, $name) = ($bench->{server}, $set->{name});

	note("$name: inserts " . ($indexed ? 'with' : 'without') . ' an index');
	$server->sql($name, 'CREATE TABLE grown AS TABLE codes');
	$server->sql($name, 'CREATE INDEX ON grown USING hashidx_hamming (code)') if $indexed;
	$server->sql($name, 'VACUUM ANALYZE grown', 'CHECKPOINT');

	my $start = $server->sql($name, 'SELECT pg_current_wal_insert_lsn()');
	my $seconds = $server->seconds($name, 'INSERT INTO grown SELECT id, code FROM fresh');
	my $wal = $server->sql($name, "SELECT pg_current_wal_insert_lsn() - '$start'::pg_lsn");
	my $single = single_inserts($set, $bench);

	$server->sql($name, 'DROP TABLE grown');
	return {
		bulk => Bench::DataSet::INSERTED / $seconds,
		wal_bytes => $wal / Bench::DataSet::INSERTED,
		single => $single,
	};
}

sub single_inserts
{
	my ($set, $bench) = @_;
	my $result = capture(
		@{ $bench->{pin} }, "$bench->{bin}/client",
		'-d', $bench->{server}->conninfo($set->{name}),
		'-c', 'INSERT INTO grown VALUES (0, $1)',
		'-q', "$set->{dir}/fresh", '-s', $bench->{seconds});

	return JSON::PP::decode_json($result)->{qps};
}

1;
