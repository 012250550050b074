# Fuzzing of hashidx_model: see test/fuzz/README.
#
# A checksum protects a model from accidents, and the code behind it from a fuzzer.
# So most mutated messages get one that is right again, and what is then
# taken for a model is run: what hx_model_load() lets pass must be safe to run.

use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HX_FUZZ_SEED} // 20250101;
my $rounds = $ENV{HX_FUZZ_ROUNDS} // 2000;    # mutations of each corpus file
my $corpus = dirname(__FILE__) . '/../fuzz/corpus/hashidx_model';

srand($seed);

sub pick
{
	return $_[ int(rand(scalar @_)) ];
}

sub read_lines
{
	my ($name) = @_;
	open(my $file, '<', "$corpus/$name") or die "cannot read $corpus/$name: $!";
	chomp(my @lines = <$file>);
	close($file);
	return @lines;
}

# CRC-32C of all bytes but the four at 20, which hold it.
my @crc_table = map {
	my $crc = $_;
	$crc = $crc >> 1 ^ ($crc & 1 ? 0x82f63b78 : 0) for 1 .. 8;
	$crc;
} 0 .. 255;

sub repair_checksum
{
	my ($message) = @_;
	my $crc = 0xffffffff;

	return $message if length($message) < 24;
	foreach my $byte (unpack('C*', substr($message, 0, 20) . substr($message, 24)))
	{
		$crc = $crc >> 8 ^ $crc_table[ ($crc ^ $byte) & 0xff ];
	}
	substr($message, 20, 4) = pack('V', $crc ^ 0xffffffff);
	return $message;
}

# Changes a message at one place: a bit, a number of two or four bytes, a piece, its end.
sub mutate_binary
{
	my ($message, $other) = @_;
	my $size = length($message);
	my $at = int(rand(pick($size + 1, $size + 1, 24, 80)));    # anywhere; in the header, the first steps
	my $new = pick(
		pack('v', pick(0 .. 19, 64, 65, 0x7fff, 0xffff)),
		pack('V', pick(0 .. 9, 16000, 16001, 65536, 65537, 0x40000000, 0x7fffffff, 0xffffffff)),
		pack('V', pick(0x7f800000, 0xff800000, 0x7fc00000, 0x80000000, 0x00000001, 0x7f7fffff, 0xff7fffff)),
		pack('f<', pick(1, -1, 2, 3, 65536, 1e30, -1e-30)));

	$at = $size if $at > $size;
	$at -= $at % pick(2, 4);
	my $kind = int(rand(9));
	if ($kind <= 1 && $at < $size) { substr($message, $at, 1) ^= chr(1 << int(rand(8))); }
	elsif ($kind <= 5) { substr($message, $at, length($new)) = $new; }
	elsif ($kind == 6) { substr($message, $at, 0) = pick($new, substr($message, int(rand($size + 1)), 32)); }
	elsif ($kind == 7) { $message = substr($message, 0, $at); }
	else { $message = substr($message, 0, $at) . substr($other, int(rand(length($other) + 1))); }
	return $message;
}

sub mutate_message
{
	my ($message, $other) = @_;

	$message = mutate_binary($message, $other);
	return pick(0 .. 9) > 0 ? repair_checksum($message) : $message;
}

# The same for text: drops, doubles, replaces, inserts something.
sub mutate_text
{
	my ($text, $other) = @_;
	my $at = int(rand(length($text) + 1));
	my $length = int(rand(1 + pick(1, 4, length($text))));
	my $piece = substr($text, $at, $length);
	my $new = pick(
		split(//, '01fA=+/-.,e[]{}": \\') , "\n", "\t", '\x', '"input"', '"relu"', '"name":"a"', '-1', '1e39', '1e-400',
		'65537', 'null', '[]', '{}', '[[1,2]]');

	my $kind = int(rand(6));
	if ($kind == 0) { substr($text, $at, $length) = ''; }
	elsif ($kind <= 2) { substr($text, $at, $length) = $new; }
	elsif ($kind == 3) { substr($text, $at, 0) = $new; }
	elsif ($kind == 4) { substr($text, $at, 0) = substr($piece, 0, 30) x pick(1, 2, 50); }
	else { $text = substr($text, 0, $at) . substr($other, int(rand(length($other) + 1))); }
	return $text;
}

# The corpus itself, and mutations of it in up to three steps.
sub make_inputs
{
	my ($mutate, @originals) = @_;
	my @inputs = @originals;

	for (1 .. $rounds)
	{
		my $input = pick(@originals);
		$input = $mutate->($input, pick(@originals)) for 1 .. pick(1, 1, 2, 3);
		push @inputs, $input;
	}
	return @inputs;
}

my $node = PostgreSQL::Test::Cluster->new('fuzz_model');
$node->init;
$node->append_conf('postgresql.conf', 'log_min_error_statement = panic');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION hashidx;
	CREATE TABLE input (id bigserial PRIMARY KEY, hex text);
	CREATE TABLE message (id bigserial PRIMARY KEY, body hashidx_model)});

# How an input becomes a model. A bytea's binary form is the bytes themselves: written
# as a bytea, a file is read as a value of the type.
my $message = $node->basedir . '/message';
my %read = (
	text => q{value := convert_from(input, 'UTF8');},
	layers => q{value := hashidx_model_from_layers(convert_from(input, 'UTF8')::jsonb);},
	binary => qq{EXECUTE format('COPY (SELECT %L::bytea) TO ''$message'' (FORMAT binary)', input);
		COPY message (body) FROM '$message' (FORMAT binary);
		SELECT body INTO STRICT value FROM message WHERE id = currval('message_id_seq');});

# Tells whether the input is taken, and what is wrong. An error of SQLSTATE class 22 is right
# for what is no model, and for numbers that a model takes out of range; 0A000 for a newer format.
sub create_judge
{
	my ($form) = @_;

	$node->safe_psql('postgres', qq{
		CREATE OR REPLACE FUNCTION judge(input bytea, OUT accepted boolean, OUT complaint text) LANGUAGE plpgsql AS
		\$judge\$
		DECLARE
			value hashidx_model;
			about jsonb;
			vector qvec;
		BEGIN
			accepted := false;
			BEGIN
				$read{$form}
			EXCEPTION WHEN OTHERS THEN
				IF SQLSTATE NOT LIKE '22%' AND SQLSTATE <> '0A000' THEN
					complaint := SQLSTATE || ' ' || SQLERRM;
				END IF;
				RETURN;
			END;
			accepted := true;
			IF value::text::hashidx_model <> value OR hashidx_model_send(value)::text::hashidx_model <> value THEN
				complaint := 'reads back as another value';
			END IF;
			about := hashidx_describe(value);
			IF (about->>'bytes')::integer <> length(hashidx_model_send(value)) THEN
				complaint := 'has another size than it says';
			END IF;
			FOR scale IN -1 .. 2 LOOP
				SELECT array_agg(sin(i) * 1e19 ^ scale)::qvec INTO vector FROM generate_series(1, (about->>'dims')::integer) AS i;
				BEGIN
					IF about->>'output' = 'code' THEN
						IF length(hashidx_encode(value, vector)) <> (about->>'outputs')::integer THEN
							complaint := 'gives a code of another length than it says';
						END IF;
					ELSIF about->>'output' = 'vector' THEN
						IF qvec_dims(hashidx_transform(value, vector)) <> (about->>'outputs')::integer THEN
							complaint := 'gives a vector of another length than it says';
						END IF;
					ELSIF cardinality(hashidx_tokens(value, vector)) <> (about->>'outputs')::integer THEN
						complaint := 'gives another number of tokens than it says';
					END IF;
				EXCEPTION WHEN numeric_value_out_of_range THEN
					NULL;
				END;
			END LOOP;
		EXCEPTION WHEN OTHERS THEN
			complaint := 'does not work: ' || SQLSTATE || ' ' || SQLERRM;
		END
		\$judge\$});
	return;
}

sub run_judge
{
	my ($form, @inputs) = @_;
	my $path = $node->basedir . '/input';

	# Rows of hexadecimal need no escapes on their way into the server.
	append_to_file($path, join('', map { unpack('H*', $_) . "\n" } @inputs));
	$node->safe_psql('postgres', "TRUNCATE input; COPY input (hex) FROM '$path'");
	unlink($path);
	create_judge($form);
	$node->safe_psql('postgres', q{
		DROP TABLE IF EXISTS verdict;
		CREATE TABLE verdict AS
			SELECT hex, (judged).* FROM (SELECT hex, judge(decode(hex, 'hex')) AS judged FROM input ORDER BY id OFFSET 0) AS j});
	is( $node->safe_psql('postgres',
			q{SELECT left(hex, 2000), complaint FROM verdict WHERE complaint IS NOT NULL LIMIT 5}),
		'', "no complaint about the form $form (seed $seed)");

	my ($accepted, $refused) = split(/\|/, $node->safe_psql('postgres',
		q{SELECT count(*) FILTER (WHERE accepted), count(*) FILTER (WHERE NOT accepted) FROM verdict}));
	cmp_ok($accepted, '>', @inputs / 40, "enough inputs in form $form are valid");
	cmp_ok($refused, '>', @inputs / 40, "enough inputs in form $form are invalid");
	note("$form: $accepted accepted, $refused refused");
	return;
}

run_judge('binary', make_inputs(\&mutate_message, map { pack('H*', $_) } read_lines('hex')));
run_judge('layers', make_inputs(\&mutate_text, read_lines('layers')));

# Of mutated text hardly any is a model: blanks make others that are.
run_judge('text', make_inputs(
	sub {
		my ($text, $other) = @_;
		return mutate_text($text, $other) if pick(0, 1);
		substr($text, int(rand(length($text) + 1)), 0) = pick(' ', "\n", "\t", "\r\n  ");
		return $text;
	},
	read_lines('text')));

unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP:/, 'the server did not crash');

$node->stop;
done_testing();
