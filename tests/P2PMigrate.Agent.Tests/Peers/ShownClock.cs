using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Peers;

/// <summary>Another time of day for one program. The kernel has one clock for all hosts of a lab; a library (libfaketime) shows the program, and it alone, a different one.</summary>
internal static class ShownClock
{
    private const string Library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
    private const string Inside = "/usr/local/lib/faketime.so";
    private const string Clock = "/tmp/clock";

    /// <summary>What the program is started with. What it counts time by goes on as it did, as in the kernel.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = Inside,
        ["FAKETIME_TIMESTAMP_FILE"] = Clock,
        ["FAKETIME_NO_CACHE"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_SKIP_CMDS"] = "criu,runc,sh,setsid,nft,ip",
    };

    /// <summary>Puts the library into the host, once, and sets the clock, which is right so far.</summary>
    public static Task PrepareAsync(VirtualHost host, string by = "+0d")
    {
        Assert.True(File.Exists(Library), "Run tests/install first: libfaketime is missing.");
        File.Copy(Library, host.PathOf(Inside), overwrite: true);
        return SetAsync(host, by);
    }

    /// <summary>Sets the clock of the host's program, which may run, such as by <c>+1d</c> from the right time.</summary>
    public static Task SetAsync(VirtualHost host, string by) => host.WriteTextAsync(Clock, by + "\n");
}
