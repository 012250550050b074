# Idx.pm
#	  Reads IDX files, the format of MNIST: a header, then one byte a pixel or label.
package Idx;

use strict;
use warnings;
use IO::Uncompress::Gunzip qw($GunzipError);

# Opens PATH and reads its header: two zero bytes, 8 for bytes, the rank, then that many sizes.
# Returns a reader; its {sizes} are those of the header.
sub open
{
	my ($class, $path, $rank) = @_;
	my $file = IO::Uncompress::Gunzip->new($path) or die "$path: $GunzipError\n";
	my $self = bless { path => $path, file => $file }, $class;

	$self->read_bytes(4) eq pack('CCCC', 0, 0, 8, $rank)
	  or die "$path: not an IDX file of bytes in $rank dimensions\n";
	$self->{sizes} = [ unpack('N*', $self->read_bytes(4 * $rank)) ];
	return $self;
}

sub read_bytes
{
	my ($self, $length) = @_;
	my $bytes = '';

	while (length $bytes < $length)
	{
		my $got = $self->{file}->read($bytes, $length - length $bytes, length $bytes);
		die "$self->{path}: ends too early\n" unless defined $got && $got > 0;
	}
	return $bytes;
}

1;
