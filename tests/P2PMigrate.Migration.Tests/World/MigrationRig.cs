using System.Collections.Concurrent;
using System.Diagnostics;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>
/// Two machines, a container called <c>web</c> on the first, and a link between two agents. Steps of either side are called
/// <c>source:freeze</c> and the like; a journal record is a step too: <c>source:journal:Freezing</c>.
/// </summary>
internal sealed class MigrationRig : IAsyncDisposable
{
    public const string Container = "web";

    public static readonly PublicIdentity SourceKey = PrivateIdentity.Create(CryptographicEntropy.Instance).Public, TargetKey = PrivateIdentity.Create(CryptographicEntropy.Instance).Public;

    public static readonly MigrationTimers Timers = new()
    {
        CommitLease = TimeSpan.FromSeconds(1),
        HoldLease = TimeSpan.FromSeconds(3),
        LeaseRenewal = TimeSpan.FromMilliseconds(50),
        Retry = TimeSpan.FromMilliseconds(20),
        PeersWord = TimeSpan.FromMilliseconds(200),
        Linger = TimeSpan.FromSeconds(1),
        Running = TimeSpan.FromSeconds(10),
        ProgressInterval = TimeSpan.Zero,
        AbortLook = TimeSpan.FromMilliseconds(20),
        AskingCalm = TimeSpan.FromMilliseconds(5),
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-migration-").FullName;
    private readonly long? _storeSize;
    private readonly MigrationTimers _timers;
    private int _crashes;

    public MigrationRig(long? storeSize = null, TimeProvider? time = null, TimeProvider? targetTime = null, MigrationTimers? timers = null)
    {
        (_storeSize, Time, _timers) = (storeSize, time ?? TimeProvider.System, timers ?? Timers);
        TargetTime = targetTime ?? Time;
        Source = new Agent(this, "source", new SimulatedMachine(World, "one", Path.Combine(_directory, "one")), Path.Combine(_directory, "source-state"));
        Target = new Agent(this, "target", new SimulatedMachine(World, "two", Path.Combine(_directory, "two")), Path.Combine(_directory, "target-state"));
        Source.Runtime.Machine.StartNew(Container);
        (Near, Far) = InMemorySession.CreatePair();
    }

    public SimulatedWorld World { get; } = new();

    public Agent Source { get; private set; }

    public Agent Target { get; private set; }

    public InMemorySession Near { get; private set; }

    public InMemorySession Far { get; private set; }

    public ConcurrentQueue<string> Steps { get; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    public ConcurrentQueue<MigrationProgress> Progress { get; } = new();

    /// <summary>Called at every step of either side, with <c>side:step</c>.</summary>
    public Func<string, Task>? AtStep { get; set; }

    /// <summary>The clock of both programs, for those that are started from now on.</summary>
    public TimeProvider Time { get; }

    public TimeProvider TargetTime { get; }

    /// <summary>Told by the target that the container has arrived.</summary>
    public Action<ReceiveOutcome>? Arrived { get; set; }

    /// <summary>A target that the first round meets, unless a test wants another.</summary>
    public CopyOptions Copy { get; set; } = new() { DowntimeTarget = TimeSpan.FromMinutes(1) };

    public SimulatedContainer? SourceCopy => Source.Runtime.Machine.Find(Container);

    public SimulatedContainer? TargetCopy => Target.Runtime.Machine.Find(Container);

    public async Task<(MigrationOutcome Sent, ReceiveOutcome Received)> RunAsync(CancellationToken interrupt = default)
    {
        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = Start(null, interrupt);
        MigrationOutcome sent = await sending.WaitAsync(TimeSpan.FromSeconds(120), CancellationToken.None);
        await Near.CloseAsync(0, "done", CancellationToken.None);
        return (sent, await receiving.WaitAsync(TimeSpan.FromSeconds(120), CancellationToken.None));
    }

    public (Task<MigrationOutcome> Sending, Task<ReceiveOutcome> Receiving) Start(Func<string?>? admit = null, CancellationToken interrupt = default)
    {
        var runner = new TargetRunner(Target.Environment);
        (InMemorySession near, InMemorySession far) = (Near, Far); // Not those of a later link, however late a thread is found.
        Task<ReceiveOutcome> receiving = Task.Run(() => ReceiveAsync(runner, far, admit));
        Task<MigrationOutcome> sending = Task.Run(async () => await new SourceRunner(Source.Environment).SendAsync(
            near, await Source.Runtime.InspectAsync(Container, null, default), new SendOptions { PeerName = Target.Runtime.Machine.Name, Target = new PeerContact(TargetKey), Copy = Copy }, new Reports(this), interrupt));
        return (sending, receiving);
    }

    /// <summary>A new link, as after the programs were started again.</summary>
    public void Reconnect() => (Near, Far) = InMemorySession.CreatePair();

    /// <summary>The way back: who was the target is the source now.</summary>
    public void Turn()
    {
        Reconnect();
        (Source, Target) = (Target, Source);
        Steps.Clear();
        Progress.Clear();
    }

    /// <summary>
    /// <c>kill -9</c> of one program: its disk is kept as it is at this moment, its link is cut, and it does nothing any more. Its machine and its containers stay.
    /// A fresh program takes its place.
    /// </summary>
    public void Crash(string side)
    {
        bool isSource = side == "source";
        Agent dead = isSource ? Source : Target;
        string state = Path.Combine(_directory, $"{side}-state-{Interlocked.Increment(ref _crashes)}");
        CopyTree(dead.Environment.State.Root, state);
        dead.Runtime.Kill();
        var fresh = new Agent(this, side, dead.Runtime.Machine, state);
        (Source, Target) = isSource ? (fresh, Target) : (Source, fresh);
        Near.Cut();
    }

    public async Task AtAsync(string step)
    {
        Steps.Enqueue(step);
        if (AtStep is { } at)
            await at(step);
    }

    /// <summary>Fails with the reason when the job did.</summary>
    public MigrationCompleted Completed(MigrationOutcome outcome) => outcome switch
    {
        MigrationCompleted completed => completed,
        MigrationFailed failed => throw new Xunit.Sdk.XunitException($"The migration failed: {failed.Reason}\n{string.Join('\n', Log)}"),
        _ => throw new Xunit.Sdk.XunitException("There is a third outcome."),
    };

    /// <summary>Neither side holds anything that a finished job had.</summary>
    public IEnumerable<string> Leftovers() => new[] { Source, Target }.SelectMany(agent => agent.Leftovers());

    public static Manifest ManifestOf(string root)
    {
        using var scanner = new TreeScanner(root);
        return scanner.Scan(ScanMode.Frozen).Manifest;
    }

    public ValueTask DisposeAsync()
    {
        Near.Cut();
        DeleteAll();
        return ValueTask.CompletedTask;
    }

    private async Task<ReceiveOutcome> ReceiveAsync(TargetRunner runner, InMemorySession session, Func<string?>? admit)
    {
        try
        {
            return await runner.ReceiveAsync(session, new ReceiveOptions { PeerName = Source.Runtime.Machine.Name, PeerKey = SourceKey, AdmitAsync = async _ => await AdmitAsync(admit), Arrived = Arrived });
        }
        catch (Exception)
        {
            session.Cut();
            throw;
        }
    }

    private async Task<string?> AdmitAsync(Func<string?>? admit)
    {
        await AtAsync("target:admit");
        return admit?.Invoke();
    }

    /// <summary>A program that was killed may still be writing its last file.</summary>
    private void DeleteAll()
    {
        try
        {
            Directory.Delete(_directory, recursive: true);
        }
        catch (IOException)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private static void CopyTree(string from, string to)
    {
        if (!Directory.Exists(from))
            return;
        using Process copy = Process.Start("cp", ["-a", from, to]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }

    /// <summary>That bytes move is a step too: <c>source:progress:Copying</c>.</summary>
    private sealed class Reports(MigrationRig rig) : IProgress<MigrationProgress>
    {
        public void Report(MigrationProgress value)
        {
            rig.Progress.Enqueue(value);
            if (value is { Kind: ProgressKind.Advanced, BytesDone: > 0 })
                rig.AtAsync($"source:progress:{value.Phase}").GetAwaiter().GetResult();
        }
    }

    /// <summary>One program: a runtime, a state directory, an environment.</summary>
    internal sealed class Agent
    {
        public Agent(MigrationRig rig, string side, SimulatedMachine machine, string state)
        {
            Runtime = new InMemoryRuntime(machine) { Step = step => rig.AtAsync($"{side}:{step}") };
            Environment = new MigrationEnvironment
            {
                Runtime = Runtime,
                State = new StateDirectory(state),
                Timers = rig._timers,
                Time = side == "target" ? rig.TargetTime : rig.Time,
                StoreSize = rig._storeSize,
                Logger = new QueueLogger(side, rig.Log),
                JournalWritten = (role, number) => rig.AtAsync($"{side}:journal:{NameOf(role, number)}").GetAwaiter().GetResult(),
            };
        }

        public InMemoryRuntime Runtime { get; }

        public MigrationEnvironment Environment { get; }

        public JobRecovery Recovery => new(Environment);

        /// <summary>What is kept of ended jobs is not among it: their source may ask.</summary>
        public IEnumerable<string> Leftovers() => new[] { Environment.State.Jobs, Environment.State.Journals }
            .Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries);

        private static string NameOf(JobRole role, int number) =>
            role == JobRole.Source ? ((Migration.Machines.SourceState)number).ToString() : ((Migration.Machines.TargetState)number).ToString();
    }
}
