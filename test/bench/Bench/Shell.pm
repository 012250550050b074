# Shell.pm
#     Running commands: loudly when they fail, as another user when asked to.

package Bench::Shell;

use strict;
use warnings;

use Exporter 'import';
use POSIX ();

our @EXPORT_OK = qw(run run_as capture pipe_to file_text note median);

# Runs a command without a shell; its standard output is thrown away.
sub run
{
	return run_as(undef, @_);
}

# The same as another user (a name), if there is one; only root can.
sub run_as
{
	my ($user, @command) = @_;
	my $pid = fork() // die "cannot fork: $!\n";

	if ($pid == 0)
	{
		become($user) if defined $user;
		open(STDOUT, '>', '/dev/null');
		exec(@command) or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	die "failed: @command\n" if $? != 0;
	return;
}

sub become
{
	my ($user) = @_;
	my (undef, undef, $uid, $gid) = getpwnam($user) or die "there is no user \"$user\"\n";

	$) = "$gid $gid";
	$( = $gid;
	POSIX::setuid($uid) or die "cannot become $user: $!\n";
	chdir '/';
	return;
}

# Standard output of a command.
sub capture
{
	my (@command) = @_;

	open(my $in, '-|', @command) or die "cannot run $command[0]: $!\n";
	my $text = do { local $/ = undef; <$in> };
	close($in) or die "failed: @command\n";
	return $text // '';
}

# Runs a pipeline given as a shell command line, stopping at the first failure in it.
sub pipe_to
{
	my ($line) = @_;

	run('bash', '-c', "set -e -o pipefail; $line");
	return;
}

sub file_text
{
	my ($path, $text) = @_;

	open(my $out, '>', $path) or die "cannot write \"$path\": $!\n";
	print $out $text;
	close($out) or die "cannot write \"$path\": $!\n";
	return;
}

# Progress, for who waits.
sub note
{
	my ($text) = @_;

	printf STDERR "%s %s\n", POSIX::strftime('%H:%M:%S', localtime), $text;
	return;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;

	return $sorted[$#sorted / 2];
}

1;
