# EncoderReport.pm
#     What a run of encoders.pl writes: a table in Markdown and a plot in SVG.

package Bench::EncoderReport;

use strict;
use warnings;

use Bench::Plot;
use Bench::Shell qw(file_text note);

use constant {
	WIDTH => 960,
	LEFT => 300,     # of the axis
	RIGHT => 860,
	TOP => 64,
	LINE => 22,      # height of a bar's row
	GAP => 34,       # of a length's heading
};

# results: [ { kind, variant, title, note, figures => [ { recall, train_seconds, rows_per_second } ] } ], the
# figures in the order of `bits`; about: lines that say where, when and of what.
sub write
{
	my ($dir, $bits, $results, $about) = @_;
	my $path = "$dir/encoders";

	file_text("$path.svg", svg($bits, $results));
	file_text("$path.md", join("\n",
			"# Encoders on Fashion-MNIST\n",
			'The share of the true 10 nearest (L2) of the 60,000 training pictures that are among the 100 nearest by what '
				. "a model makes of them. Queries are pictures of the test set. Seed 7, options and samples as usual, where nothing is said.\n",
			"![Recall](encoders.svg)\n",
			table('Recall', 'recall', '%.3f', $bits, $results),
			table('CPU seconds to train', 'train_seconds', '%.2f', $bits, $results),
			table('Rows that a SELECT runs the model on in a CPU second', 'rows_per_second', '%.0f', $bits, $results),
			notes($results),
			"`make bench-encoders` makes this. " . join('. ', @$about) . ".\n"));
	note("written: $path.md");
	return;
}

# The same rows are called the same everywhere.
sub name
{
	my ($result) = @_;

	return join(', ', $result->{kind}, $result->{variant} // (), $result->{title});
}

# A kind that is measured at one length only has its figure in the first column.
sub table
{
	my ($title, $figure, $format, $bits, $results) = @_;
	my $text = "## $title\n\n| kind | compared by |" . join('', map { " $_ bits |" } @$bits)
		. "\n|---|---|" . '---:|' x @$bits . "\n";

	for my $result (@$results)
	{
		$text .= sprintf("| `%s`%s%s | %s |%s\n", $result->{kind},
			defined $result->{variant} ? ", $result->{variant}" : '', defined $result->{note} ? ' *' : '',
			$result->{title},
			join('', map { sprintf(' %s |', value($result->{figures}[$_], $figure, $format)) } 0 .. $#$bits));
	}
	return $text;
}

sub value
{
	my ($figures, $figure, $format) = @_;

	return $figures ? sprintf($format, $figures->{$figure}) : '';
}

sub notes
{
	my ($results) = @_;

	return join('', map { "* `$_->{kind}`: $_->{note}.\n" } grep { defined $_->{note} } @$results)
		. "\nAn empty place: the model cannot be had, or would be no other.\n";
}

sub svg
{
	my ($bits, $results) = @_;
	my $y = TOP;
	my $body = '';

	for my $place (0 .. $#$bits)
	{
		my @rows = sort { $b->{recall} <=> $a->{recall} }
			map { { name => name($_), title => $_->{title}, recall => $_->{figures}[$place]{recall} } }
			grep { $_->{figures}[$place] } @$results;

		$y += GAP;
		$body .= Bench::Plot::text(20, $y - 8, "$bits->[$place] bits", 'font-weight="bold" font-size="14"');
		for my $row (@rows)
		{
			$body .= bar($row, $y, colour_of($row->{title}, $results));
			$y += LINE;
		}
	}
	return Bench::Plot::head($y + 70)
		. Bench::Plot::text(20, 28, 'Encoders on Fashion-MNIST', 'font-weight="bold" font-size="18"')
		. Bench::Plot::text(20, 48, 'share of the true 10 nearest among the 100 that a model finds', 'fill="#666666"')
		. grid(TOP + 6, $y + 8) . $body . "</svg>\n";
}

# One colour for all that is compared in the same way.
sub colour_of
{
	my ($title, $results) = @_;
	my %seen;
	my @titles = grep { !$seen{$_}++ } map { $_->{title} } @$results;
	my ($place) = grep { $titles[$_] eq $title } 0 .. $#titles;

	return Bench::Plot::colour($place);
}

sub x_of
{
	my ($recall) = @_;

	return LEFT + (RIGHT - LEFT) * $recall;
}

sub bar
{
	my ($row, $y, $colour) = @_;

	$row->{name} =~ s/`//g;
	return Bench::Plot::text(LEFT - 10, $y + LINE / 2 + 4, $row->{name}, 'text-anchor="end"')
		. sprintf(qq{<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>\n},
		LEFT, $y + 3, x_of($row->{recall}) - LEFT, LINE - 6, $colour)
		. Bench::Plot::text(x_of($row->{recall}) + 6, $y + LINE / 2 + 4, sprintf('%.3f', $row->{recall}), '');
}

sub grid
{
	my ($top, $bottom) = @_;
	my $svg = '';

	for my $tenths (0, 2, 4, 6, 8, 10)
	{
		my $x = x_of($tenths / 10);

		$svg .= sprintf(qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#dddddd"/>\n}, $x, $top, $x, $bottom);
		$svg .= Bench::Plot::text($x, $bottom + 18, sprintf('%.1f', $tenths / 10), 'text-anchor="middle"');
	}
	return $svg;
}

1;
