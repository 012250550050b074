# Server.pm
#     A private PostgreSQL server: a copy of the installation that pg_config
#     names, so that extensions can be installed in it, a new cluster, a socket
#     of its own and no TCP. Clusters that exist are never touched.
#
#     The servers that a program has made stop when it ends, and before its
#     temporary directories go; on a signal it ends.
#
#     PostgreSQL finds its libraries and share files relative to its programs,
#     which is why the copy works in any directory.

package Bench::Server;

use strict;
use warnings;

# END blocks run in reverse order: ours before that of File::Temp, which removes the data.
use File::Temp ();
use FindBin ();
use POSIX ();

use Bench::Shell qw(run run_as capture file_text);

my @servers;

$SIG{$_} = sub { die "interrupted\n" } for qw(INT TERM HUP);

END
{
	my $status = $?;

	for my $server (@servers)
	{
		eval { $server->stop; 1 } or warn $@;
	}
	$? = $status;
}

# dir: an empty directory; pg_config, make: programs; user: who runs the server
# (undef: ourselves); cpu: the core it is pinned to (undef: any).
sub new
{
	my ($class, %args) = @_;
	my $self = bless {%args, root => "$args{dir}/install", started => 0}, $class;

	for my $what (qw(bindir pkglibdir sharedir))
	{
		my $from = $self->{$what} = $self->ask_pg_config("--$what");

		run('mkdir', '-p', "$self->{root}$from");
		run('cp', '-a', "$from/.", "$self->{root}$from");
	}
	$self->{version} = $self->ask_pg_config('--version');
	push @servers, $self;
	return $self;
}

# The same by a script's options pg_config, make and user (if we are root), with the hashidx of
# this source. The directory is made readable: the server need not be ours.
sub with_hashidx
{
	my ($class, $dir, $option) = @_;

	chmod 0755, $dir;

	my $self = $class->new(
		dir => $dir,
		pg_config => $option->{pg_config},
		make => $option->{make},
		user => $> == 0 ? $option->{user} : undef);

	$self->install("$FindBin::Bin/../..");
	return $self;
}

sub ask_pg_config
{
	my ($self, $option) = @_;
	my $answer = capture($self->{pg_config}, $option);

	chomp $answer;
	return $answer;
}

# Installs an extension from its source directory, building it if it is not built.
sub install
{
	my ($self, $source, @variables) = @_;

	run($self->{make}, '-s', '-C', $source, 'install', "DESTDIR=$self->{root}",
		"PG_CONFIG=$self->{pg_config}", @variables);
	return;
}

sub has_extension
{
	my ($self, $name) = @_;

	return -e "$self->{root}$self->{sharedir}/extension/$name.control";
}

sub program
{
	my ($self, $name) = @_;

	return "$self->{root}$self->{bindir}/$name";
}

# settings: name => value, put in the configuration file.
sub start
{
	my ($self, %settings) = @_;
	my ($data, $socket) = map { "$self->{dir}/$_" } qw(data socket);

	for my $dir ($data, $socket)
	{
		mkdir($dir, 0700) or die "cannot make \"$dir\": $!\n";
		run('chown', $self->{user}, $dir) if defined $self->{user};
	}
	$self->{socket} = $socket;
	run_as($self->{user}, $self->program('initdb'), '-D', $data, '-U', 'bench', '-A', 'trust',
		'-E', 'UTF8', '--locale=C');

	$settings{listen_addresses} = "''";
	$settings{unix_socket_directories} = "'$socket'";
	file_text("$data/postgresql.auto.conf",
		join('', map { "$_ = $settings{$_}\n" } sort keys %settings));

	my @pin = defined $self->{cpu} ? ('taskset', '-c', $self->{cpu}) : ();

	run_as($self->{user}, @pin, $self->program('pg_ctl'), '-D', $data, '-l', "$data/log",
		'-s', '-w', 'start');
	$self->{started} = 1;
	return;
}

sub stop
{
	my ($self) = @_;

	return if !$self->{started};
	$self->{started} = 0;
	run_as($self->{user}, $self->program('pg_ctl'), '-D', "$self->{dir}/data", '-s', '-m',
		'immediate', 'stop');
	return;
}

sub conninfo
{
	my ($self, $database) = @_;

	return "host=$self->{socket} user=bench dbname=$database";
}

sub psql
{
	my ($self, $database) = @_;

	return ($self->program('psql'), '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-d',
		$self->conninfo($database));
}

# Runs SQL commands and returns their output, chomped.
sub sql
{
	my ($self, $database, @commands) = @_;
	my $output = capture($self->psql($database), map { ('-c', $_) } @commands);

	chomp $output;
	return $output;
}

# Seconds that the last of some commands takes, as psql sees it.
sub seconds
{
	my ($self, $database, @commands) = @_;
	my $command = pop @commands;
	my $output = $self->sql($database, @commands, '\timing on', $command);

	$output =~ /^Time: ([0-9.]+) ms/m or die "psql told no time for: $command\n";
	return $1 / 1000;
}

# CPU seconds that one command takes of its session's process, threads included.
sub cpu_seconds
{
	my ($self, $database, $command) = @_;
	my $ticks = q{SELECT 'ticks ' || f[12]::bigint + f[13]::bigint FROM regexp_split_to_array(
		regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ') f};
	my $output = $self->sql($database, $ticks, $command, $ticks);
	my ($before, $after) = $output =~ /^ticks (\d+)$/mg;

	return ($after - $before) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

1;
