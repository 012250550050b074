# RecallPlot.pm
#     A plot of recall against queries a second as SVG: a line for each method. The
#     axis of recall is stretched towards 1, since that is where methods differ.

package Bench::RecallPlot;

use strict;
use warnings;

use Bench::Plot;

use constant {
	WIDTH => 960,
	LEFT => 90,      # of the axes
	RIGHT => 620,
	TOP => 70,
	BOTTOM => 470,
	HEIGHT => 540,
	LEAST_MISS => 0.0005,
	MOST_MISS => 0.4,
};

my @recalls = (.6, .8, .9, .95, .98, .99, .995, .999);

# lines: [ { title, points => [ { recall, qps } ] } ].
sub svg
{
	my ($title, $subtitle, @lines) = @_;
	my @rates = map { map { $_->{qps} } @{ $_->{points} } } @lines;
	my $axis = Bench::Plot::axis(@rates);
	my $svg = Bench::Plot::head(HEIGHT)
		. Bench::Plot::text(20, 28, $title, 'font-weight="bold" font-size="18"')
		. Bench::Plot::text(20, 48, $subtitle, 'fill="#666666"')
		. grid($axis);

	for my $i (0 .. $#lines)
	{
		$svg .= line($lines[$i], $axis, Bench::Plot::colour($i), TOP + 20 + 26 * $i);
	}
	return "$svg</svg>\n";
}

# Logarithmic in what is missed.
sub x_of
{
	my ($recall) = @_;
	my $miss = 1 - $recall;

	$miss = LEAST_MISS if $miss < LEAST_MISS;
	return LEFT + (RIGHT - LEFT) * log(MOST_MISS / $miss) / log(MOST_MISS / LEAST_MISS);
}

sub y_of
{
	my ($axis, $rate) = @_;
	my ($first, $last) = @$axis;

	return BOTTOM - (BOTTOM - TOP) * (log($rate) / log(10) - $first) / ($last - $first);
}

sub grid
{
	my ($axis) = @_;
	my $svg = '';

	for my $recall (@recalls)
	{
		my $x = x_of($recall);

		$svg .= rule($x, TOP, $x, BOTTOM)
			. Bench::Plot::text($x, BOTTOM + 18, $recall, 'text-anchor="middle"');
	}
	for my $exponent ($axis->[0] .. $axis->[1])
	{
		my $y = y_of($axis, 10**$exponent);

		$svg .= rule(LEFT, $y, RIGHT, $y)
			. Bench::Plot::text(LEFT - 8, $y + 4, 10**$exponent, 'text-anchor="end"');
	}
	return $svg
		. Bench::Plot::text((LEFT + RIGHT) / 2, BOTTOM + 44,
		'recall of the 10 nearest (more is better)', 'text-anchor="middle"')
		. Bench::Plot::text(LEFT - 8, TOP - 8, 'queries a second', 'text-anchor="start"');
}

sub rule
{
	return sprintf(qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#dddddd"/>\n}, @_);
}

sub line
{
	my ($line, $axis, $colour, $legend) = @_;
	my @points = sort { $a->{recall} <=> $b->{recall} }
		grep { 1 - $_->{recall} < MOST_MISS } @{ $line->{points} };
	my @places = map { [ x_of($_->{recall}), y_of($axis, $_->{qps}) ] } @points;
	my $svg = sprintf(qq{<polyline points="%s" fill="none" stroke="%s" stroke-width="2.5"/>\n},
		join(' ', map { sprintf('%.1f,%.1f', @$_) } @places), $colour);

	$svg .= sprintf(qq{<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>\n}, @$_, $colour) for @places;
	return $svg
		. sprintf(qq{<rect x="%.1f" y="%.1f" width="14" height="14" fill="%s"/>\n},
		RIGHT + 24, $legend - 11, $colour)
		. Bench::Plot::text(RIGHT + 46, $legend, $line->{title}, '');
}

1;
