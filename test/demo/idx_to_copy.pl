#!/usr/bin/perl
#
# idx_to_copy.pl PREFIX
#	  Turns the IDX files PREFIX-images-idx3-ubyte.gz and PREFIX-labels-idx1-ubyte.gz
#	  into rows for COPY FROM STDIN (FORMAT binary): id int4, counted from 0;
#	  label int2; embedding qvec, one number a pixel.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Idx;

my $prefix = shift or die "usage: $0 PREFIX\n";
my $images = Idx->open("$prefix-images-idx3-ubyte.gz", 3);
my $labels = Idx->open("$prefix-labels-idx1-ubyte.gz", 1);

my ($count, $height, $width) = @{ $images->{sizes} };
my $pixels = $height * $width;
$labels->{sizes}[0] == $count or die "$prefix: images and labels do not belong together\n";

# A pixel becomes a float in network order: look its four bytes up.
my @float = map { pack('f>', $_) } 0 .. 255;

# A qvec is sent as its dimensions, its format (0: f32) and the numbers.
my $qvec_head = pack('N n n', 4 + 4 * $pixels, $pixels, 0);

binmode STDOUT;
print "PGCOPY\n\377\r\n\0", pack('N N', 0, 0);
for my $id (0 .. $count - 1)
{
	my $label = ord $labels->read_bytes(1);
	my @pixel = unpack('C*', $images->read_bytes($pixels));

	print pack('n N N N n', 3, 4, $id, 2, $label), $qvec_head, @float[@pixel];
}
print pack('n', 0xFFFF);
close STDOUT or die "cannot write: $!\n";
