using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <content>The time of day.</content>
internal abstract partial record Fault
{
    /// <summary>Somebody sets the clock of one machine while its program stands still.</summary>
    private sealed record ClockSet(string Name, bool AtTarget, string By) : Fault(Name)
    {
        public override IReadOnlyDictionary<string, string> EnvironmentOf(bool atTarget) => atTarget == AtTarget ? ShownClock.Environment : base.EnvironmentOf(atTarget);

        public override Task PrepareAsync(MigrationPeers peers) => ShownClock.PrepareAsync(Host(peers));

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            await ShownClock.SetAsync(Host(peers), By);
            return true;
        }

        private VirtualHost Host(MigrationPeers peers) => AtTarget ? peers.Target : peers.Source;
    }
}
