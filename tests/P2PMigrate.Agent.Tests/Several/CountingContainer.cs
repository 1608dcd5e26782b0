using System.Globalization;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Several;

/// <summary>A small container that counts into a file of its own root file system as long as it runs, with random content in memory and files.</summary>
internal sealed class CountingContainer(string name)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    public string Name => name;

    /// <summary>Starts it on <paramref name="host"/>.</summary>
    public async Task StartAsync(VirtualHost host, int megabytes, int filesMegabytes)
    {
        ContainerBundle bundle = await ContainerBundle.CreateAsync(host, new ContainerOptions
        {
            Name = name,
            Arguments =
            [
                "python3", "-c",
                $"import os, time; memory = [os.urandom(1 << 20) for _ in range({megabytes})]; n = 0; count = open('/count', 'wb', buffering=0)\n"
                + "while True:\n n += 1; os.pwrite(count.fileno(), b'%09d' % n, 0); time.sleep(0.01)",
            ],
        });
        await host.ShellAsync($"dd if=/dev/urandom of={bundle.Rootfs}/noise bs=1M count={filesMegabytes} status=none");
        await bundle.StartAsync();
        Assert.True(await RunsAsync(host, bundle.Rootfs), $"{name} does not count.");
    }

    /// <summary>Does the copy that was received on <paramref name="host"/> into <paramref name="state"/> run?</summary>
    public Task<bool> RunsAfterArrivalAsync(VirtualHost host, string state = "/var/lib/p2pmigrate") => RunsAsync(host, $"{state}/containers/{name}/rootfs");

    /// <summary>Has <paramref name="host"/> any process of it?</summary>
    public bool IsOn(VirtualHost host) => host.PidsOf(name).Count > 0;

    private static async Task<bool> RunsAsync(VirtualHost host, string rootfs)
    {
        long? first = null;
        for (long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds; Environment.TickCount64 < deadline; await Task.Delay(20))
        {
            long? now = Read(host.PathOf($"{rootfs}/count"));
            if (first is not null && now > first)
                return true;
            first ??= now;
        }

        return false;
    }

    private static long? Read(string path)
    {
        try
        {
            return long.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out long count) ? count : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
