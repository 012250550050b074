#!/usr/bin/perl
#
# contact_sheet.pl DATA ANSWERS FOLDER
#	  Draws the answers as pictures: FOLDER/sheet.png and FOLDER/index.html, a row
#	  for each query with the picture looked for and what was found.
#
# A line of ANSWERS: query's id and kind, then id:kind of each neighbour. DATA is
# the folder of the IDX files.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Canvas;
use Idx;
use MIME::Base64;

my ($data, $answers, $folder) = @ARGV;
die "usage: $0 DATA ANSWERS FOLDER\n" unless defined $folder;

my $SCALE = 4;					# pixels of the sheet for one of a picture, each way
my $GAP = 12;					# between pictures
my $MARGIN = 32;
my $LABEL = 26;					# height of the line with the kind
my $HEAD = 92;					# height of the title
my $TEXT = 2;					# size of the letters

my %colour = (
	background => [ 0x15, 0x17, 0x1c ],
	title => [ 0xf2, 0xf2, 0xf0 ],
	same => [ 0x9a, 0xa3, 0xad ],
	other => [ 0xff, 0x9d, 0x45 ],
	query => [ 0x5c, 0xc8, 0xff ]);

my $title = 'hashidx: pictures that look alike';
my $legend = 'Framed: the query. Then its ten nearest of 60,000 by codes of 256 bits. Orange: of another kind.';

# The pictures with the given ids, by id.
sub read_pictures
{
	my ($part, @ids) = @_;
	my $file = Idx->open("$data/$part-images-idx3-ubyte.gz", 3);
	my (undef, $height, $width) = @{ $file->{sizes} };
	my %wanted = map { $_ => 1 } @ids;
	my %bytes;

	for (my $id = 0; keys %bytes < keys %wanted; $id++)
	{
		my $picture = $file->read_bytes($height * $width);
		$bytes{$id} = $picture if $wanted{$id};
	}
	return ($height, $width, \%bytes);
}

sub read_answers
{
	my @rows;

	open my $file, '<', $answers or die "$answers: $!\n";
	while (my $line = <$file>)
	{
		my ($id, $kind, @found) = split ' ', $line;
		push @rows,
		  { id => $id, kind => $kind, found => [ map { [ split /:/ ] } @found ] };
	}
	return @rows;
}

sub write_file
{
	my ($name, $bytes) = @_;

	open my $file, '>:raw', "$folder/$name" or die "$folder/$name: $!\n";
	print $file $bytes;
	close $file or die "$folder/$name: $!\n";
}

my @rows = read_answers();
@rows or die "$answers: no answers\n";
my ($height, $width, $query_bytes) = read_pictures('t10k', map { $_->{id} } @rows);
my (undef, undef, $image_bytes) =
  read_pictures('train', map { $_->[0] } map { @{ $_->{found} } } @rows);

# ---- The sheet ----

my $columns = 1 + @{ $rows[0]{found} };
my ($cell_width, $cell_height) = ($width * $SCALE + $GAP, $height * $SCALE + $GAP + $LABEL);
my $query_gap = $GAP;			# sets the query apart from what was found
my $canvas = Canvas->new(
	2 * $MARGIN + $columns * $cell_width - $GAP + $query_gap,
	$HEAD + $MARGIN + @rows * $cell_height - $GAP,
	$colour{background});

# A picture with its kind below, in the middle.
sub draw
{
	my ($x, $y, $bytes, $kind, $colour) = @_;
	my $indent = ($width * $SCALE - Canvas::text_width($kind, $TEXT)) / 2;

	$canvas->grey_picture($x, $y, $bytes, $width, $height, $SCALE);
	$canvas->text($x + int($indent), $y + $height * $SCALE + 8, $kind, $TEXT, $colour);
}

$canvas->text($MARGIN, 24, $title, 3, $colour{title});
$canvas->text($MARGIN, 58, $legend, $TEXT, $colour{same});

my $y = $HEAD;
for my $row (@rows)
{
	my $x = $MARGIN;

	$canvas->rectangle($x - 4, $y - 4, $width * $SCALE + 8, $height * $SCALE + 8, $colour{query});
	draw($x, $y, $query_bytes->{ $row->{id} }, $row->{kind}, $colour{query});
	$x += $cell_width + $query_gap;
	for my $found (@{ $row->{found} })
	{
		my ($id, $kind) = @$found;
		draw($x, $y, $image_bytes->{$id}, $kind, $colour{ $kind eq $row->{kind} ? 'same' : 'other' });
		$x += $cell_width;
	}
	$y += $cell_height;
}
write_file('sheet.png', $canvas->png);

# ---- The page ----

# A figure with the picture in it, so that the page is one file.
sub figure
{
	my ($class, $bytes, $id, $kind) = @_;
	my $small = Canvas->new($width, $height, [ 0, 0, 0 ]);

	$small->grey_picture(0, 0, $bytes, $width, $height, 1);
	my $url = 'data:image/png;base64,' . encode_base64($small->png, '');
	return qq(<figure class="$class"><img src="$url" alt="$kind $id" title="id $id">)
	  . qq(<figcaption>$kind</figcaption></figure>\n);
}

my $body = '';
for my $row (@rows)
{
	$body .= qq(<div class="row">\n)
	  . figure('query', $query_bytes->{ $row->{id} }, $row->{id}, $row->{kind});
	for my $found (@{ $row->{found} })
	{
		my ($id, $kind) = @$found;
		$body .= figure($kind eq $row->{kind} ? 'same' : 'other', $image_bytes->{$id}, $id, $kind);
	}
	$body .= "</div>\n";
}

write_file('index.html', <<"END");
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { margin: 2rem; background: #15171c; color: #f2f2f0; font: 16px/1.5 system-ui, sans-serif }
p { color: #9aa3ad }
.row { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.2rem 0 }
figure { margin: 0; width: 84px; text-align: center; font-size: 13px; color: #9aa3ad }
img { width: 84px; height: 84px; border-radius: 3px; display: block }
.query { color: #5cc8ff; margin-right: .8rem }
.query img { outline: 3px solid #5cc8ff }
.other { color: #ff9d45 }
</style>
<h1>$title</h1>
<p>$legend</p>
$body</html>
END
