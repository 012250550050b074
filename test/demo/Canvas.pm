# Canvas.pm
#	  A picture in memory: rectangles, grey pictures, text; written as PNG.
#	  Perl's own modules only.
package Canvas;

use strict;
use warnings;
use Compress::Zlib;

my %glyph;			# character => seven rows of five, 1 where there is ink
my $GLYPH_WIDTH = 5;
my $GLYPH_HEIGHT = 7;

# A canvas of one colour. Colours are [red, green, blue], 0 to 255.
sub new
{
	my ($class, $width, $height, $colour) = @_;
	my $row = pack('C3', @$colour) x $width;

	return bless { width => $width, height => $height, rows => [ ($row) x $height ] }, $class;
}

sub rectangle
{
	my ($self, $x, $y, $width, $height, $colour) = @_;
	my $run = pack('C3', @$colour) x $width;

	substr($self->{rows}[$_], 3 * $x, length $run, $run) for $y .. $y + $height - 1;
}

# A grey picture, one byte a pixel, magnified `scale` times with smooth steps between pixels.
sub grey_picture
{
	my ($self, $x, $y, $bytes, $width, $height, $scale) = @_;
	my @lines = map { [ unpack('C*', substr($bytes, $_ * $width, $width)) ] } 0 .. $height - 1;

	$_ = stretch($_, $scale) for @lines;
	my @columns = map { my $c = $_; stretch([ map { $_->[$c] } @lines ], $scale) } 0 .. $width * $scale - 1;
	for my $line (0 .. $height * $scale - 1)
	{
		my $run = join '', map { my $v = int($_->[$line] + 0.5); chr($v) x 3 } @columns;
		substr($self->{rows}[ $y + $line ], 3 * $x, length $run, $run);
	}
}

# Magnifies a row of numbers: linear between the centres of neighbours.
sub stretch
{
	my ($in, $scale) = @_;
	my @out;

	for my $i (0 .. @$in * $scale - 1)
	{
		my $at = ($i + 0.5) / $scale - 0.5;
		my $left = int($at + 1) - 1;
		my $part = $at - $left;
		my $l = $left < 0 ? 0 : $left;
		my $r = $left + 1 > $#$in ? $#$in : $left + 1;
		push @out, $in->[$l] * (1 - $part) + $in->[$r] * $part;
	}
	return \@out;
}

# The width of a text at a size: pixels a font pixel.
sub text_width
{
	my ($text, $size) = @_;
	return length($text) * ($GLYPH_WIDTH + 1) * $size - $size;
}

# Text in capitals, its upper left corner at x, y.
sub text
{
	my ($self, $x, $y, $text, $size, $colour) = @_;

	for my $character (split //, uc $text)
	{
		my $rows = $glyph{$character} or die "no glyph for '$character'\n";
		for my $line (0 .. $GLYPH_HEIGHT - 1)
		{
			for my $column (0 .. $GLYPH_WIDTH - 1)
			{
				$self->rectangle($x + $column * $size, $y + $line * $size, $size, $size, $colour)
				  if substr($rows->[$line], $column, 1) eq '#';
			}
		}
		$x += ($GLYPH_WIDTH + 1) * $size;
	}
}

# One chunk of a PNG file: length, type, data, checksum.
sub chunk
{
	my ($type, $data) = @_;
	return pack('N', length $data) . $type . $data . pack('N', crc32($type . $data));
}

# The canvas as the bytes of a PNG file: 8 bits, colour type 2 (RGB), each row with filter 0.
sub png
{
	my ($self) = @_;
	my $rows = join '', map { "\0$_" } @{ $self->{rows} };

	return "\x89PNG\r\n\x1a\n"
	  . chunk('IHDR', pack('N N C5', $self->{width}, $self->{height}, 8, 2, 0, 0, 0))
	  . chunk('IDAT', compress($rows, 9))
	  . chunk('IEND', '');
}

# The glyphs: a line of characters, then seven lines with their rows side by side.
while (my $characters = <DATA>)
{
	chomp $characters;
	my @characters = split / +/, $characters;
	for (1 .. $GLYPH_HEIGHT)
	{
		my @rows = split / +/, <DATA>;
		push @{ $glyph{$_} }, shift @rows for @characters;
	}
}
$glyph{' '} = [ ('.....') x $GLYPH_HEIGHT ];

1;

__DATA__
A B C D E F G H
.###. ####. .###. ####. ##### ##### .###. #...#
#...# #...# #...# #...# #.... #.... #...# #...#
#...# #...# #.... #...# #.... #.... #.... #...#
##### ####. #.... #...# ####. ####. #.### #####
#...# #...# #.... #...# #.... #.... #...# #...#
#...# #...# #...# #...# #.... #.... #...# #...#
#...# ####. .###. ####. ##### #.... .#### #...#
I J K L M N O P
.###. ..### #...# #.... #...# #...# .###. ####.
..#.. ...#. #..#. #.... ##.## ##..# #...# #...#
..#.. ...#. #.#.. #.... #.#.# ##..# #...# #...#
..#.. ...#. ##... #.... #.#.# #.#.# #...# ####.
..#.. ...#. #.#.. #.... #...# #..## #...# #....
..#.. #..#. #..#. #.... #...# #..## #...# #....
.###. .##.. #...# ##### #...# #...# .###. #....
Q R S T U V W X
.###. ####. .#### ##### #...# #...# #...# #...#
#...# #...# #.... ..#.. #...# #...# #...# #...#
#...# #...# #.... ..#.. #...# #...# #...# .#.#.
#...# ####. .###. ..#.. #...# #...# #.#.# ..#..
#.#.# #.#.. ....# ..#.. #...# #...# #.#.# .#.#.
#..#. #..#. ....# ..#.. #...# .#.#. ##.## #...#
.##.# #...# ####. ..#.. .###. ..#.. #...# #...#
Y Z 0 1 2 3 4 5
#...# ##### .###. ..#.. .###. .###. ...#. #####
#...# ....# #...# .##.. #...# #...# ..##. #....
.#.#. ...#. #..## ..#.. ....# ....# .#.#. ####.
..#.. ..#.. #.#.# ..#.. ...#. ..##. #..#. ....#
..#.. .#... ##..# ..#.. ..#.. ....# ##### ....#
..#.. #.... #...# ..#.. .#... #...# ...#. #...#
..#.. ##### .###. .###. ##### .###. ...#. .###.
6 7 8 9 - . , :
.###. ##### .###. .###. ..... ..... ..... .....
#.... ....# #...# #...# ..... ..... ..... ..#..
#.... ...#. #...# #...# ..... ..... ..... ..#..
####. ...#. .###. .#### ##### ..... ..... .....
#...# ..#.. #...# ....# ..... ..... ..#.. ..#..
#...# ..#.. #...# ....# ..... ..#.. ..#.. ..#..
.###. ..#.. .###. .###. ..... ..#.. .#... .....
