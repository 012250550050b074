# Plot.pm
#     A plot of latencies as SVG: for each workload the methods one below the
#     other, each with a dot at its median and a line to its 99th percentile,
#     over a logarithmic axis.

package Bench::Plot;

use strict;
use warnings;

use constant {
	WIDTH => 960,
	LEFT => 270,     # of the axis
	RIGHT => 800,
	TOP => 64,
	LINE => 24,      # height of a method's row
	GAP => 34,       # of a workload's heading
};

# The methods' colours, in their order: told apart by the colour-blind too.
my @colours = ('#0072b2', '#56b4e9', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#7a5195',
	'#555555');

# groups: [ { title, rows => [ { title, p50, p99 } ] } ], times in milliseconds.
sub svg
{
	my ($title, $subtitle, @groups) = @_;
	my @times = map { map { @$_{qw(p50 p99)} } @{ $_->{rows} } } @groups;
	my $axis = axis(@times);
	my $colour_of = colours(@groups);
	my $y = TOP;
	my $body = '';

	for my $group (@groups)
	{
		$y += GAP;
		$body .= text(20, $y - 8, $group->{title}, 'font-weight="bold" font-size="14"');
		for my $row (@{ $group->{rows} })
		{
			$body .= dot($row, $y + LINE / 2, $axis, $colour_of->{ $row->{title} });
			$y += LINE;
		}
	}
	return head($y + 70) . text(20, 28, $title, 'font-weight="bold" font-size="18"')
		. text(20, 48, $subtitle, 'fill="#666666"')
		. grid($axis, TOP + 6, $y + 8) . $body . "</svg>\n";
}

sub colour
{
	my ($i) = @_;

	return $colours[ $i % @colours ];
}

sub colours
{
	my (@groups) = @_;
	my %colour_of;

	for my $row (map { @{ $_->{rows} } } @groups)
	{
		my $next = keys %colour_of;

		$colour_of{ $row->{title} } //= colour($next);
	}
	return \%colour_of;
}

# Whole decades around the times: [ first exponent, last exponent ].
sub axis
{
	my @sorted = sort { $a <=> $b } @_;
	my $first = floor10($sorted[0]);
	my $last = floor10($sorted[-1]) + 1;

	return [ $first, $last ];
}

sub floor10
{
	my ($x) = @_;
	my $exponent = int(log($x) / log(10));

	$exponent-- while 10**$exponent > $x;
	return $exponent;
}

sub x_of
{
	my ($axis, $time) = @_;
	my ($first, $last) = @$axis;

	return LEFT + (RIGHT - LEFT) * (log($time) / log(10) - $first) / ($last - $first);
}

sub grid
{
	my ($axis, $top, $bottom) = @_;
	my $svg = '';

	for my $exponent ($axis->[0] .. $axis->[1])
	{
		my $x = x_of($axis, 10**$exponent);

		$svg .= sprintf(qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#dddddd"/>\n},
			$x, $top, $x, $bottom);
		$svg .= text($x, $bottom + 18, 10**$exponent, 'text-anchor="middle"');
	}
	return $svg
		. text((LEFT + RIGHT) / 2, $bottom + 42,
		'milliseconds a query (log scale; less is better): dot = median, line to the 99th percentile',
		'text-anchor="middle"');
}

sub dot
{
	my ($row, $y, $axis, $colour) = @_;
	my ($x50, $x99) = map { x_of($axis, $row->{$_}) } qw(p50 p99);

	return text(LEFT - 14, $y + 4, $row->{title}, 'text-anchor="end"')
		. sprintf(
		qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="3"/>\n},
		$x50, $y, $x99, $y, $colour)
		. sprintf(qq{<circle cx="%.1f" cy="%.1f" r="6" fill="%s"/>\n}, $x50, $y, $colour)
		. text(($x99 > $x50 + 6 ? $x99 : $x50 + 6) + 6, $y + 4,
		sprintf('%.3g ms (p99 %.3g)', $row->{p50}, $row->{p99}), '');
}

sub text
{
	my ($x, $y, $text, $attributes) = @_;

	$text =~ s/&/&amp;/g;
	$text =~ s/</&lt;/g;
	$text =~ s/>/&gt;/g;
	return sprintf(qq{<text x="%.1f" y="%.1f" %s>%s</text>\n}, $x, $y, $attributes, $text);
}

sub head
{
	my ($height) = @_;

	return sprintf(<<'END', (WIDTH, $height) x 2);
<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"
	font-family="sans-serif" font-size="13" fill="#222222" stroke="none">
<rect width="100%%" height="100%%" fill="white"/>
END
}

1;
