using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>What Podman itself has written into a file, taken out of it by the shipped program.</summary>
public sealed class PodmanArchiveTests
{
    private const string Name = "c3", Archive = "/data/c3.tar.zst", Image = "/data/image.tar", LongNamed = "/data/long.tar.zst";

    private static readonly string s_longName = new('n', 65);

    [Fact]
    [Trait("Spec", "ARC-24")]
    public async Task An_archive_of_Podmans_is_refused_before_anything_is_touched_and_then_runs_where_it_left_off()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        (VirtualHost source, VirtualHost target) = (peers.Source, peers.Target);
        await source.ShellAsync("cp -a /opt/container-template /data/image; mkdir -p /data/image/srv");
        await source.WriteTextAsync("/data/image/srv/counter.py", CountingClient.Server);
        await source.ShellAsync(
            $"tar -C /data/image -c . | podman import - local/counter >/dev/null 2>&1; podman save local/counter -o {Image} 2>/dev/null; " +
            $"podman run -d --name {Name} --pids-limit 0 local/counter python3 /srv/counter.py </dev/null >/dev/null");
        Assert.Equal("1 1", await AskAsync(source));
        await source.ShellAsync($"podman container checkpoint {Name} --tcp-established --export {Archive}"); // with zstd, as it does when it is told nothing
        await source.ShellAsync(
            $"podman run -d --name {s_longName} --pids-limit 0 --network none local/counter sleep 600 </dev/null >/dev/null; podman container checkpoint {s_longName} --export {LongNamed}");
        foreach (string file in new[] { Archive, Image, LongNamed }) File.Copy(source.PlainPathOf(file), target.PlainPathOf(file));

        Assert.Contains("podman load", await ExpectAsync(target, 3, Archive), StringComparison.Ordinal);
        await target.ShellAsync($"podman load -i {Image} >/dev/null 2>&1; cd /data; size=$(stat -c %s {Archive}); head -c $((size / 2)) {Archive} > cut; cp {Archive} flipped; printf Z | dd of=flipped bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null");
        Assert.Contains("is damaged", await ExpectAsync(target, 8, "/data/cut"), StringComparison.Ordinal);
        Assert.Contains("is damaged", await ExpectAsync(target, 8, "/data/flipped"), StringComparison.Ordinal);
        Assert.Contains("neither of", await ExpectAsync(target, 8, Image), StringComparison.Ordinal);
        Assert.Contains("leave out --runtime", await ExpectAsync(target, 2, Archive, "--runtime", "runc"), StringComparison.Ordinal);
        Assert.Contains($"podman container restore --import {LongNamed} --name NAME", await ExpectAsync(target, 3, LongNamed), StringComparison.Ordinal);
        Assert.Equal("", (await target.ShellAsync("podman ps -aq")).Trim());

        // Beside each other, by a symbolic link: one of them takes the other's turn or its name, and what runs in the end is not touched by the one that fails.
        await target.ShellAsync($"ln -s {Archive} /data/latest");
        CommandResult[] both = await Task.WhenAll(target.RunAsync(MigrationPeers.Program, ["restore", "/data/latest"]), target.RunAsync(MigrationPeers.Program, ["restore", "/data/latest"]));
        Assert.Equal([0, 3], both.Select(result => result.ExitCode).Order());
        Assert.Contains("still runs where this one was made", both.Single(result => result.ExitCode == 0).Output, StringComparison.Ordinal);
        Assert.Equal("2 2", await AskAsync(target));
        await target.ShellAsync($"zstd -dcq {Archive} | gzip > /data/c3.tar.gz; zstd -dcq {Archive} > /data/c3.tar");
        foreach (string file in new[] { Archive, "/data/c3.tar.gz", "/data/c3.tar" }) Assert.Contains($"podman rm {Name}", await ExpectAsync(target, 3, file), StringComparison.Ordinal);
        Assert.Equal("3 3", await AskAsync(target));
    }

    private static async Task<string> AskAsync(VirtualHost host) =>
        (await host.ShellAsync("python3 -c \"import socket; s = socket.create_connection(('10.88.0.2', 7000), 20); s.send(b'?'); print(s.recv(64).decode())\"")).Trim();

    private static async Task<string> ExpectAsync(VirtualHost host, int code, params string[] arguments)
    {
        CommandResult result = await host.RunAsync(MigrationPeers.Program, ["restore", .. arguments]);
        Assert.True(result.ExitCode == code, $"{result.ExitCode}: {result.Output}{result.Error}");
        return result.Output + result.Error;
    }
}
