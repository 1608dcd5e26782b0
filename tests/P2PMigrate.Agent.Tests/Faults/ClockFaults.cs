using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <content>The time of day. The kernel has one for all, so that a library (libfaketime) shows another one to the program, and to that alone.</content>
internal abstract partial record Fault
{
    /// <summary>Somebody sets the clock of one machine while its program stands still.</summary>
    private sealed record ClockSet(string Name, bool AtTarget, string By) : Fault(Name)
    {
        private const string Library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
        private const string Inside = "/usr/local/lib/faketime.so";
        private const string Clock = "/tmp/clock";

        // What the clock is counted by goes on as it did, as in the kernel.
        public override IReadOnlyDictionary<string, string> EnvironmentOf(bool atTarget) => atTarget != AtTarget ? base.EnvironmentOf(atTarget) : new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = Inside,
            ["FAKETIME_TIMESTAMP_FILE"] = Clock,
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["DONT_FAKE_MONOTONIC"] = "1",
            ["FAKETIME_SKIP_CMDS"] = "criu,runc,sh,setsid,nft,ip",
        };

        public override async Task PrepareAsync(MigrationPeers peers)
        {
            Assert.True(File.Exists(Library), "Run tests/install first: libfaketime is missing.");
            File.Copy(Library, Host(peers).PathOf(Inside), overwrite: true);
            await Host(peers).WriteTextAsync(Clock, "+0d\n");
        }

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            await Host(peers).WriteTextAsync(Clock, By + "\n");
            return true;
        }

        private VirtualHost Host(MigrationPeers peers) => AtTarget ? peers.Target : peers.Source;
    }
}
