# What the tests of damaged pages share: many copies of one table, each with another damage in the
# file of its index, and statements that must end for all of them.

package HxDamage;

use strict;
use warnings;

use Exporter 'import';
use File::Copy qw(copy);
use HxTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(u16 u32 random_damages damage_copies check_endings check_notices no_other_errors);

my ($node, $page_size, @aimed);

sub u16 { return pack('S', shift); }
sub u32 { return pack('L', shift); }

# So many damages at random, half of them where the structure of a page is.
sub random_damages
{
	my ($count) = @_;

	return map { [ "random $_", \&damage_at_random, 'silent' ] } 1 .. $count;
}

sub damage_at_random
{
	my ($blocks) = @_;

	foreach (1 .. 1 + int(rand(30)))
	{
		my $at = rand() < 0.5 ? int(rand($page_size - 24)) + 24
		  : (12 .. 60, $page_size - 8 .. $page_size - 1)[ int(rand(57)) ];

		substr($blocks->[ int(rand(@$blocks)) ], $at, 1) ^= chr(1 << int(rand(8)));
	}
	return;
}

# Makes copies t0, t1, ... of the table "template", with indexes c0, c1, ... as template_code is, while
# the server is down, and damages each. A damage is a name, what changes the list of blocks, and words:
# "checked": hashidx_check must notice it; "silent": a scan need not, and may lose rows then.
sub damage_copies
{
	($node, my $index, @aimed) = @_;
	$page_size = page_size($node);

	$node->safe_psql('postgres', qq{
		DO \$\$ BEGIN
			FOR i IN 0 .. $#aimed LOOP
				EXECUTE format('CREATE TABLE t%s (LIKE template)', i);
				EXECUTE format('CREATE INDEX c%1\$s ON t%1\$s USING $index', i);
			END LOOP;
		END \$\$;
		CHECKPOINT;});

	my ($heap_of, $index_of) = map { file_of($_) } 'template', 'template_code';
	my @files = map { [ file_of("t$_"), file_of("c$_") ] } 0 .. $#aimed;

	$node->stop;
	my @sound = unpack("(a$page_size)*", slurp_file($index_of));
	foreach my $i (0 .. $#aimed)
	{
		my @blocks = @sound;

		$aimed[$i][1]->(\@blocks);
		copy($heap_of, $files[$i][0]) or die "cannot write $files[$i][0]: $!";
		open(my $file, '>:raw', $files[$i][1]) or die "cannot write $files[$i][1]: $!";
		print $file join('', @blocks);
		close($file);
	}
	$node->start;
	return;
}

{
	my %paths;

	# The file of a relation; all paths are asked for at once.
	sub file_of
	{
		my ($name) = @_;

		%paths = map { split(/ /) } split(/\n/, $node->safe_psql('postgres', q{
			SELECT relname || ' ' || pg_relation_filepath(oid) FROM pg_class WHERE relname ~ '^(template|[tc]\d)'}))
		  if !exists $paths{$name};
		return $node->data_dir . "/$paths{$name}";
	}
}

# How one statement for each of these tables ends: [SQLSTATE, what it returned], in order.
sub endings
{
	my ($statement, $settings, @tables) = @_;
	my $script = join("\n", map { (my $sql = $statement) =~ s/#/$_/g; "$sql;\n\\echo = :SQLSTATE" } @tables);
	my $timed_out = 0;
	my ($status, $out, $err) = $node->psql('postgres',
		"SET statement_timeout = '300s'; SET enable_seqscan = off; SET enable_sort = off; SET client_min_messages = error; $settings;\n$script",
		on_error_stop => 0, timeout => 900, timed_out => \$timed_out);
	my @endings;
	my $answer = '';

	BAIL_OUT("$statement: a backend hangs") if $timed_out;
	foreach my $line (split(/\n/, $out))
	{
		if ($line =~ /^= (\w{5})$/) { push @endings, [ $1, $answer ]; $answer = ''; }
		else { $answer .= $line; }
	}
	return @endings;
}

# A test: they all end as they may; what is meant by XX000 and 58P01 no_other_errors() tells. options: settings; good: other SQLSTATEs that are right;
# answer: what the statement must return when it works and nothing is silent; every: of so many.
sub check_endings
{
	my ($name, $statement, %options) = @_;
	my @tables = grep { $_ % ($options{every} // 1) == 0 } 0 .. $#aimed;
	my @endings = endings($statement, $options{settings} // '', @tables);
	my $good = $options{good} // qr/00000|XX002|0A000|XX00[01]|58P01/;
	my @wrong;

	foreach my $i (0 .. $#tables)
	{
		my ($damage, undef, $words) = @{ $aimed[ $tables[$i] ] };
		my ($state, $answer) = @{ $endings[$i] // [ 'crash', '' ] };

		push @wrong, "$damage: $state" if $state !~ /^(?:$good)$/;
		push @wrong, "$damage: $answer"
		  if $state eq '00000' && defined $options{answer} && $answer ne $options{answer} && $words !~ /silent/;
	}
	is(join(', ', @wrong), '', "$name: done, rightly, or a clean error");
	return map { $_->[0] } @endings;
}

# A test: hashidx_check notices each damage that it must.
sub check_notices
{
	my @states = check_endings('check', q{SELECT hashidx_check('c#', true)});

	is(join(', ', map { $aimed[$_][2] =~ /checked/ && $states[$_] eq '00000' ? $aimed[$_][0] : () } 0 .. $#aimed), '',
		'hashidx_check notices what it can know');
	return;
}

# A test: what the server's log has of errors is damage, or a block that its file does not have.
sub no_other_errors
{
	my @strange = grep { !/is damaged( at block|$)|has \d+ problems?$|has a format|could not (?:read blocks?|open file)|invalid page/ }
	  map { /ERROR:  (.*)/ ? $1 : () } split(/\n/, slurp_file($node->logfile));

	is(join("\n", @strange), '', 'no other error');
	return;
}

1;
