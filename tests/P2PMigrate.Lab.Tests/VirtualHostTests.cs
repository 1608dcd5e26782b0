namespace P2PMigrate.Lab.Tests;

public sealed class VirtualHostTests : LabTest, IAsyncLifetime
{
    private readonly string _shared = Directory.CreateTempSubdirectory("p2plab").FullName;
    private LoneHost _lone = null!;

    private VirtualHost Host => _lone.Host;

    public async ValueTask InitializeAsync() =>
        _lone = await LoneHost.RaiseAsync(binds: [new(_shared, "/mnt/rw"), new(_shared, "/mnt/ro", ReadOnly: true)]);

    public async ValueTask DisposeAsync()
    {
        if (_lone is not null) await _lone.DisposeAsync();
        Directory.Delete(_shared, recursive: true);
    }

    [Fact]
    public async Task A_host_has_processes_mounts_name_and_cgroups_of_its_own()
    {
        string[] said = (await Host.ShellAsync("cat /proc/1/comm; hostname; cat /proc/self/cgroup | grep ^0::; stat -fc %T /data /sys/fs/cgroup")).Split('\n');

        Assert.Equal(["tini", Host.Name, "0::/init", "ext2/ext3", "cgroup2fs"], said[..5]);
    }

    [Fact]
    public async Task CRIU_finds_nothing_missing() => Assert.Contains("Looks good", await Host.ShellAsync("criu check 2>&1"));

    [Fact]
    public async Task A_command_that_fails_says_where_what_and_why()
    {
        LabException failure = await Assert.ThrowsAsync<LabException>(() => Host.ShellAsync("ls /nowhere"));

        Assert.StartsWith($"`{Host.Name}: /bin/sh -ec ls /nowhere` exited with 2: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("No such file", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_gets_its_input_its_environment_and_its_directory()
    {
        var command = new NodeCommand("sh", ["-c", "cat; echo $COLOUR; pwd; exit 7"])
        {
            Input = "typed\n",
            Environment = new Dictionary<string, string> { ["COLOUR"] = "blue" },
            WorkingDirectory = "/usr",
        };

        CommandResult result = await Host.RunAsync(command);

        Assert.Equal(("typed\nblue\n/usr\n", 7), (result.Output, result.ExitCode));
    }

    [Fact]
    public async Task Files_can_be_read_and_written_from_outside()
    {
        await Host.WriteTextAsync("/data/note", "from outside");
        await Host.ShellAsync("cat /data/note > /root/copy");

        Assert.Equal("from outside", await Host.ReadTextAsync("/root/copy"));
    }

    [Fact]
    public async Task A_bind_mount_shows_the_machines_files_and_keeps_read_only_ones_so()
    {
        await Host.ShellAsync("echo written > /mnt/rw/file");
        CommandResult refused = await Host.RunAsync("touch", ["/mnt/ro/file"]);

        Assert.Equal("written\n", await File.ReadAllTextAsync(Path.Combine(_shared, "file")));
        Assert.Contains("Read-only file system", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_one_host_writes_another_does_not_see()
    {
        await using LoneHost other = await LoneHost.RaiseAsync();

        await Host.ShellAsync("echo mine > /etc/only-here");

        Assert.False(File.Exists(other.Host.PathOf("/etc/only-here")));
    }

    [Fact]
    public async Task Orphans_are_reaped_by_the_hosts_first_process()
    {
        string orphan = (await Host.ShellAsync("(setsid sh -c 'exec sleep 0.05' & echo $!)")).Trim();

        await Host.ShellAsync($"while [ -e /proc/{orphan} ]; do sleep 0.01; done");
    }
}
