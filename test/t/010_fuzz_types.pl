# Fuzzing of the input functions of the types: see test/fuzz/README.
#
# The mutations are made here, from a fixed seed, and judged in the server by
# two functions in PL/pgSQL, so that thousands of inputs pass in one session.

use strict;
use warnings;
use utf8;

use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HX_FUZZ_SEED} // 20250101;
my $rounds = $ENV{HX_FUZZ_ROUNDS} // 1000;    # mutations of each corpus file
my $corpus = dirname(__FILE__) . '/../fuzz/corpus';

# How a value $1 of a type is read back from its text, where that takes more than a cast.
my %reread = (
	qvec => q{EXECUTE format('SELECT $1::text::qvec(%s, %s)', qvec_dims(value), qvec_format(value))
		INTO again USING value;});

srand($seed);

sub pick
{
	return $_[ int(rand(scalar @_)) ];
}

sub read_lines
{
	my ($path) = @_;
	open(my $file, '<:encoding(UTF-8)', $path) or die "cannot read $path: $!";
	chomp(my @lines = <$file>);
	close($file);
	return @lines;
}

# Changes a literal at one place: drops, doubles, replaces or inserts something, or joins two literals.
sub mutate_text
{
	my ($literal, $other) = @_;
	my $at = int(rand(length($literal) + 1));
	my $length = int(rand(1 + pick(1, 4, length($literal))));
	my $piece = substr($literal, $at, $length);
	my $new = pick(
		split(//, "01fx9aA-+.,eE<>[]{}() \t\\\"'é\x{1F600}"),
		'NaN', 'Infinity', '-0', '1e39', '1e-46', '2147483648', '\x', '65537');

	my $kind = int(rand(6));
	if ($kind == 0) { substr($literal, $at, $length) = ''; }
	elsif ($kind == 1) { substr($literal, $at, $length) = $new; }
	elsif ($kind == 2) { substr($literal, $at, 0) = $new; }
	elsif ($kind == 3) { substr($literal, $at, 0) = substr($piece, 0, 30) x pick(1, 2, 50, 3000); }
	elsif ($kind == 4) { $literal = substr($literal, 0, $at); }
	else { $literal = substr($literal, 0, $at) . substr($other, int(rand(length($other) + 1))); }
	return $literal;
}

# The same for a message: bits, bytes, numbers of two and four bytes, its end.
sub mutate_binary
{
	my ($message, $other) = @_;
	my $size = length($message);
	my $at = int(rand(pick($size + 1, $size + 1, 9)));    # anywhere, or in the header
	my $new = pick(
		chr(0), chr(0xff), chr(0x7f), chr(0x80), chr(int(rand(256))),
		pack('n', pick(0, 1, 2, 3, 4, 16000, 16001, 0x7fff, 0xffff)),
		pack('N', pick(0, 1, 7, 8, 9, 65536, 65537, 0x7fffffff, 0x80000000, 0xffffffff)),
		pack('N', pick(0x7f800000, 0xff800000, 0x7fc00000, 0x80000000, 0x00000001, 0x7f7fffff)));

	$at = $size if $at > $size;
	my $kind = int(rand(8));
	if ($kind <= 2 && $at < $size) { substr($message, $at, 1) ^= chr(1 << int(rand(8))); }
	elsif ($kind <= 4) { substr($message, $at, length($new)) = $new; }
	elsif ($kind == 5) { substr($message, $at, 0) = $new; }
	elsif ($kind == 6) { $message = substr($message, 0, $at); }
	else { $message = substr($message, 0, $at) . substr($other, int(rand(length($other) + 1))); }
	return $message;
}

# The corpus itself, and mutations of it in up to four steps.
sub make_inputs
{
	my ($mutate, @inputs) = @_;
	my $originals = @inputs;

	for (1 .. $rounds)
	{
		my $input = pick(@inputs[ 0 .. $originals - 1 ]);
		$input = $mutate->($input, pick(@inputs[ 0 .. $originals - 1 ])) for 1 .. pick(1, 1, 2, 4);
		push @inputs, $input;
	}
	return @inputs;
}

my $node = PostgreSQL::Test::Cluster->new('fuzz');
$node->init;
$node->append_conf('postgresql.conf', 'log_min_error_statement = panic');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hashidx');
$node->safe_psql('postgres', 'CREATE TABLE input (id bigserial PRIMARY KEY, hex text)');

# Rows of hexadecimal need no escapes on their way into the server.
sub load_inputs
{
	my (@inputs) = @_;
	my $path = $node->basedir . '/input';

	append_to_file($path, join('', map { unpack('H*', $_) . "\n" } @inputs));
	$node->safe_psql('postgres', "TRUNCATE input; COPY input (hex) FROM '$path'");
	unlink($path);
	return;
}

# Creates judge_text(bytea) and judge_binary(bytea) for a type: each returns what is wrong, or null.
sub create_judges
{
	my ($type) = @_;
	my $message = $node->basedir . '/message';
	my $reread = $reread{$type} // 'again := value::text;';

	my $judge = sub {
		my ($name, $read) = @_;
		return qq{
			CREATE OR REPLACE FUNCTION $name(input bytea, OUT accepted boolean, OUT complaint text) LANGUAGE plpgsql AS
			\$judge\$
			DECLARE
				value $type;
				again $type;
			BEGIN
				accepted := false;
				BEGIN
					$read
				EXCEPTION WHEN OTHERS THEN
					IF SQLSTATE NOT LIKE '22%' THEN
						complaint := SQLSTATE || ' ' || SQLERRM;
					END IF;
					RETURN;
				END;
				accepted := true;
				$reread
				IF ${type}_send(again) <> ${type}_send(value) THEN
					complaint := 'reads back as another value';
				END IF;
			EXCEPTION WHEN OTHERS THEN
				complaint := 'does not read back: ' || SQLSTATE || ' ' || SQLERRM;
			END
			\$judge\$; };
	};

	# A bytea's binary form is the bytes themselves: written as a bytea, the file is read as a value of the type.
	$node->safe_psql('postgres',
		$judge->('judge_text', "value := convert_from(input, 'UTF8');")
		  . $judge->('judge_binary', qq{
			EXECUTE format('COPY (SELECT %L::bytea) TO ''$message'' (FORMAT binary)', input);
			COPY message (body) FROM '$message' (FORMAT binary);
			SELECT body INTO STRICT value FROM message WHERE id = currval('message_id_seq');})
		  . "DROP TABLE IF EXISTS message; CREATE TABLE message (id bigserial PRIMARY KEY, body $type);");
	return;
}

sub run_judge
{
	my ($type, $form, $judge, @inputs) = @_;

	load_inputs(@inputs);
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS verdict;
		CREATE TABLE verdict AS
			SELECT hex, (judged).* FROM (SELECT hex, $judge(decode(hex, 'hex')) AS judged FROM input ORDER BY id OFFSET 0) AS j});
	is( $node->safe_psql('postgres',
			q{SELECT left(hex, 400), complaint FROM verdict WHERE complaint IS NOT NULL LIMIT 5}),
		'', "$type: no complaint about its $form form (seed $seed)");

	my ($accepted, $refused) = split(/\|/, $node->safe_psql('postgres',
		q{SELECT count(*) FILTER (WHERE accepted), count(*) FILTER (WHERE NOT accepted) FROM verdict}));
	cmp_ok($accepted, '>', @inputs / 20, "$type: enough inputs in $form form are valid");
	cmp_ok($refused, '>', @inputs / 20, "$type: enough inputs in $form form are invalid");
	note("$type, $form: $accepted accepted, $refused refused");
	return;
}

foreach my $path (sort glob("$corpus/*.text"))
{
	my $type = basename($path, '.text');

	create_judges($type);

	my @texts = make_inputs(\&mutate_text, read_lines($path));
	utf8::encode($_) foreach @texts;
	run_judge($type, 'text', 'judge_text', @texts);

	my @messages = make_inputs(\&mutate_binary, map { pack('H*', $_) } read_lines("$corpus/$type.hex"));
	run_judge($type, 'binary', 'judge_binary', @messages);
}

unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP:/, 'the server did not crash');

$node->stop;
done_testing();
