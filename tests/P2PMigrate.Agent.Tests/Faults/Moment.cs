using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <summary>When a fault happens: a record has reached a side's journal, a phase has begun, or the target holds the container.</summary>
internal abstract record Moment(string Name, bool IsAtTarget)
{
    private const int Restoring = 5;
    private const int Releasing = 7;
    private const int Confirming = 8;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // The numbers are those of the journals.
    public static IReadOnlyList<Moment> All { get; } =
    [
        new Journalled("source copying", IsAtTarget: false, State: 2),
        new Journalled("source freezing", IsAtTarget: false, State: 3),
        new PhaseBegun("source dumping", "dumping"),
        new PhaseBegun("source shipping", "shipping"),
        new PhaseBegun("source preparing", "restoring"),
        new Journalled("source committed", IsAtTarget: false, State: 8),
        new Journalled("source destroying", IsAtTarget: false, State: 9),
        new Journalled("target receiving", IsAtTarget: true, State: 4),
        new Journalled("target restoring", IsAtTarget: true, State: Restoring),
        new Held("target holding"),
        new Journalled("target releasing", IsAtTarget: true, Releasing),
        new Confirmed("target confirming"),
    ];

    public static Moment Find(string name) => All.Single(moment => moment.Name == name);

    /// <summary>Waits for it and stops the program of that side by SIGSTOP, so that as little as possible follows. Returns false when the migration ended without it.</summary>
    public async Task<bool> ReachAsync(MigrationPeers peers, LabProcess migrate)
    {
        bool reached = await Task.Run(() => WaitAsync(peers, migrate));
        (IsAtTarget ? peers.Receive! : migrate).Signal(UnixSignal.Stop);
        return reached;
    }

    private protected abstract Task<bool> WaitAsync(MigrationPeers peers, LabProcess migrate);

    private sealed record Journalled(string Name, bool IsAtTarget, int State) : Moment(Name, IsAtTarget)
    {
        private protected override Task<bool> WaitAsync(MigrationPeers peers, LabProcess migrate) =>
            Task.FromResult(new JournalWatch(IsAtTarget ? peers.Target : peers.Source).WaitFor(State, () => migrate.HasExited, s_limit));
    }

    /// <summary>It confirms until the source has answered: one that is stopped before does not answer.</summary>
    private sealed record Confirmed(string Name) : Moment(Name, IsAtTarget: true)
    {
        private protected override Task<bool> WaitAsync(MigrationPeers peers, LabProcess migrate)
        {
            var target = new JournalWatch(peers.Target);
            if (!target.WaitFor(Releasing, () => migrate.HasExited, s_limit))
                return Task.FromResult(false);
            migrate.Signal(UnixSignal.Stop);
            return Task.FromResult(target.WaitFor(Confirming, () => migrate.HasExited, s_limit));
        }
    }

    private sealed record PhaseBegun(string Name, string Phase) : Moment(Name, IsAtTarget: false)
    {
        private protected override async Task<bool> WaitAsync(MigrationPeers peers, LabProcess migrate)
        {
            await migrate.Output.WaitForAsync(line => line.Contains($"\"event\":\"phase\",\"phase\":\"{Phase}\"", StringComparison.Ordinal), s_limit);
            return true;
        }
    }

    private sealed record Held(string Name) : Moment(Name, IsAtTarget: true)
    {
        private protected override async Task<bool> WaitAsync(MigrationPeers peers, LabProcess migrate)
        {
            if (!new JournalWatch(peers.Target).WaitFor(Restoring, () => migrate.HasExited, s_limit))
                return false;
            migrate.Signal(UnixSignal.Stop); // it would commit before anybody has looked
            var container = ContainerBundle.Find(peers.Target, WitnessContainer.Name);
            for (long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds; Environment.TickCount64 < deadline && !migrate.HasExited; await Task.Delay(1))
            {
                if (container.Pids.Count > 0)
                    return true;
            }

            return false;
        }
    }
}
