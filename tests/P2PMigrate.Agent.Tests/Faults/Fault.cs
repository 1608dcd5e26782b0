using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <summary>What can go wrong in the middle of a migration, done to the peers of a lab.</summary>
internal abstract partial record Fault(string Name)
{
    private static readonly TimeSpan s_programLimit = TimeSpan.FromMilliseconds(400);

    public static IReadOnlyList<Fault> All { get; } =
    [
        new AgentKilled("source agent killed", AtTarget: false),
        new AgentKilled("target agent killed", AtTarget: true),
        new ProgramKilled("source criu killed", "criu", AtTarget: false),
        new ProgramKilled("target criu killed", "criu", AtTarget: true),
        new ProgramKilled("source runc killed", "runc", AtTarget: false),
        new ProgramKilled("target runc killed", "runc", AtTarget: true),
        new LinkCut("link cut for 30 s", TimeSpan.FromSeconds(30)),
        new LinkCut("link cut for good", TimeSpan.MaxValue),
        new TargetGone("target gone"),
        new DiskFull("target disk full", AtTarget: true),
        new DiskFull("source disk full", AtTarget: false),
        new ClockSet("source clock a year back", AtTarget: false, "-365d"),
        new ClockSet("target clock a day on", AtTarget: true, "+1d"),
    ];

    /// <summary>Those that bring their own moment, which is the first one here that comes before it.</summary>
    public static IReadOnlyList<(string Moment, Fault Fault)> WithMoments { get; } =
    [
        .. from action in HookFailure.OfDump select ("source copying", (Fault)new HookFailure($"dump hook fails at {action}", AtTarget: false, action)),
        .. from action in HookFailure.OfRestore select ("target receiving", (Fault)new HookFailure($"restore hook fails at {action}", AtTarget: true, action)),
        .. from moment in (string[])["source copying", "source freezing", "source dumping"] select (moment, (Fault)new ContainerKilled("source container killed")),
        .. from kind in BundleHookFailure.Kinds select ("source copying", (Fault)new BundleHookFailure($"the bundle's {kind} hook fails at the target", kind)),
    ];

    /// <summary>How long, at most, no copy answers, where no person has to decide.</summary>
    public virtual TimeSpan BackWithin => TimeSpan.FromSeconds(20);

    /// <summary>Does the source's program die of it?</summary>
    public virtual bool KillsSource => false;

    /// <summary>May the container at the source have died of it? <paramref name="log"/> is CRIU's, as it was kept.</summary>
    // spec: MIG-14
    public virtual bool MayHaveEndedContainer(string log) => false;

    /// <summary>Does it take the container that has moved with it, as it would any other container there? Its files stay.</summary>
    public virtual bool EndsWhatMoved => false;

    /// <summary>Does a container that has moved notice by itself, as any other there?</summary>
    public virtual bool DisturbsWhatMoved => false;

    /// <summary>Is what it breaks there at this moment, so that a cell in which it was not hit has shown nothing?</summary>
    public virtual bool MustHit(string moment) => true;

    /// <summary>A hook that the container's configuration is to have: its kind and its program.</summary>
    public virtual (string Kind, string Program)? BundleHook => null;

    /// <summary>What the programs of a side are started with.</summary>
    public virtual IReadOnlyDictionary<string, string> EnvironmentOf(bool atTarget) => new Dictionary<string, string>();

    public static Fault Find(string name) => All.Concat(WithMoments.Select(entry => entry.Fault)).First(fault => fault.Name == name);

    /// <summary>Before the migration begins.</summary>
    public virtual Task PrepareAsync(MigrationPeers peers) => Task.CompletedTask;

    /// <summary>Does it; false when there was nothing to do it to at this moment.</summary>
    public abstract Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate);

    /// <summary>Was something hit that <see cref="HappenAsync"/> could only prepare? Asked when all is over.</summary>
    public virtual Task<bool> WasHitAsync(MigrationPeers peers) => Task.FromResult(true);

    /// <summary>Ends what lasts, once the migration has ended.</summary>
    public virtual Task EndAsync(MigrationPeers peers) => Task.CompletedTask;

    private sealed record AgentKilled(string Name, bool AtTarget) : Fault(Name)
    {
        public override bool KillsSource => !AtTarget;

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            await (AtTarget ? peers.Receive! : migrate).KillAsync();
            return true;
        }
    }

    private sealed record ProgramKilled(string Name, string Program, bool AtTarget) : Fault(Name)
    {
        private static readonly string[] s_dumping = ["source freezing", "source dumping"];
        private static readonly string[] s_restoring = ["source preparing", "target restoring", "target holding", "target releasing"];

        /// <summary>Only while CRIU had code of its own in the processes: nobody can save them from that.</summary>
        public override bool MayHaveEndedContainer(string log) => !AtTarget && Program == "criu" && log.Contains("Parasite syscall_ip", StringComparison.Ordinal)
            && !log.Contains("Dumping FAILED", StringComparison.Ordinal) && !log.Contains("Dumping finished", StringComparison.Ordinal);

        public override bool MustHit(string moment) => (AtTarget ? s_restoring : s_dumping).Contains(moment);

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            VirtualHost host = AtTarget ? peers.Target : peers.Source;
            if (host.KillProgramsNamed(Program, WitnessContainer.Name))
                return true; // it is there already, and might end as soon as its side goes on
            migrate.Signal(UnixSignal.Continue);
            peers.Receive!.Signal(UnixSignal.Continue);
            for (long deadline = Environment.TickCount64 + (long)s_programLimit.TotalMilliseconds; Environment.TickCount64 < deadline; await Task.Delay(1))
            {
                if (host.KillProgramsNamed(Program, WitnessContainer.Name))
                    return true;
            }

            return false;
        }
    }

    private sealed record ContainerKilled(string Name) : Fault(Name)
    {
        public override bool MayHaveEndedContainer(string log) => true;

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            await peers.Source.ShellAsync($"runc kill {WitnessContainer.Name} KILL");
            return true;
        }
    }

    private sealed record LinkCut(string Name, TimeSpan Length) : Fault(Name)
    {
        public override TimeSpan BackWithin => TimeSpan.FromSeconds(90);

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            await peers.Lab.CutAsync(peers.Source);
            if (Length == TimeSpan.MaxValue)
                return true;
            migrate.Signal(UnixSignal.Continue);
            peers.Receive!.Signal(UnixSignal.Continue);
            await Task.Delay(Length);
            await peers.Lab.HealAsync(peers.Source);
            return true;
        }

        public override Task EndAsync(MigrationPeers peers) => Length == TimeSpan.MaxValue ? peers.Lab.HealAsync(peers.Source) : Task.CompletedTask;
    }

    private sealed record TargetGone(string Name) : Fault(Name)
    {
        public override bool EndsWhatMoved => true;

        public override TimeSpan BackWithin => TimeSpan.FromSeconds(90);

        // A machine without power: no process is left, nothing that was in memory, and nobody answers.
        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            await peers.Lab.CutAsync(peers.Target);
            await peers.Receive!.KillAsync();
            await peers.Target.ShellAsync(
                $"""
                for p in $(find /sys/fs/cgroup -name cgroup.kill -path '*{WitnessContainer.Name}*'); do ( echo 1 > $p ) 2>/dev/null || true; done
                for n in criu runc; do pkill -9 -x $n || true; done
                sleep 0.2
                for m in $(cut -d' ' -f5 /proc/self/mountinfo | grep '^/run/runc/' | sort -r); do umount -l $m; done
                rm -rf /run/runc/*
                find /sys/fs/cgroup -depth -type d -path '*{WitnessContainer.Name}*' -delete || true
                ip netns exec {WitnessContainer.Name} nft flush ruleset
                """);
            return true;
        }

        public override Task EndAsync(MigrationPeers peers) => peers.Lab.HealAsync(peers.Target);
    }

    private sealed record DiskFull(string Name, bool AtTarget) : Fault(Name)
    {
        private const string State = "/var/lib/p2pmigrate";
        private const string Image = "/data/state.ext4";

        // A container that has moved lives on this disk.
        public override bool DisturbsWhatMoved => AtTarget;

        // A file, and no tmpfs: there a job's last record would be gone within microseconds of being written.
        public override Task PrepareAsync(MigrationPeers peers) => Host(peers).ShellAsync(
            $"""
            mknod -m 600 /dev/loop-control c 10 237
            for n in $(seq 0 31); do mknod -m 600 /dev/loop$n b 7 $n; done
            truncate -s 2G {Image}
            mkfs.ext4 -q -m 0 {Image}
            mkdir -p {State}
            mount -o loop {Image} {State}
            """);

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            await Host(peers).ShellAsync(
                $"fallocate -l $(df --output=avail -B1 {State} | tail -1) {State}/ballast 2>/dev/null || true; cat /dev/zero >> {State}/ballast 2>/dev/null || true");
            return true;
        }

        public override Task EndAsync(MigrationPeers peers) => Host(peers).ShellAsync($"rm -f {State}/ballast");

        private VirtualHost Host(MigrationPeers peers) => AtTarget ? peers.Target : peers.Source;
    }
}
