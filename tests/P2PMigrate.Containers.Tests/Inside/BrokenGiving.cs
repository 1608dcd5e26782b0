using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A migration from this host to this host whose session ended when the container ran at the target, and most of its memory was at the source.</summary>
internal sealed class BrokenGiving : IAsyncDisposable
{
    private const int AttemptsMax = 3;

    private readonly Task<ReceiveOutcome> _receiving;

    private BrokenGiving(Workload workload, MigrationEnvironment source, MigrationEnvironment target, MigrationFailed failed, Task<ReceiveOutcome> receiving) =>
        (Workload, Source, Target, Failed, _receiving) = (workload, source, target, failed, receiving);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What stands still at the source.</summary>
    public Workload Workload { get; }

    public MigrationEnvironment Source { get; }

    public MigrationEnvironment Target { get; }

    /// <summary>What the source's user was told.</summary>
    public MigrationFailed Failed { get; }

    public string Moved => Workload.Name + HomeRuntime.Suffix;

    /// <summary>What has followed, in any session.</summary>
    public FollowingPages Following { get; private init; } = null!;

    /// <summary>Runs one that rewrites <paramref name="rate"/> pages a second until the session ends, as soon as so many pages have followed; the target's program lives, and waits.</summary>
    public static async Task<BrokenGiving> RunAsync(string megabytes, int pages = 0, string rate = "400")
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        for (int attempt = 1; ; attempt++)
        {
            Workload workload = await Workload.RunningAsync("pages.py", megabytes, rate);
            try
            {
                if (await TryRunAsync(workload, runtime, pages) is { } broken) return broken;
            }
            catch
            {
                await workload.DisposeAsync();
                throw;
            }

            await workload.DisposeAsync();
            TestContext.Current.TestOutputHelper?.WriteLine("The dump left nothing for later.");
            Assert.True(attempt < AttemptsMax, "CRIU left nothing in the processes, each time.");
        }
    }

    /// <summary>Null when CRIU left nothing in the processes (MEM-33), so that the migration was one like any other: the log says why.</summary>
    private static async Task<BrokenGiving?> TryRunAsync(Workload workload, IContainerRuntime inner, int pages)
    {
        var following = new FollowingPages();
        var runtime = new HomeRuntime(inner) { Late = following.Before };
        MigrationEnvironment Environment(string side) => new() { Runtime = runtime, State = new StateDirectory($"/data/state-{workload.Name}/{side}"), Logger = new OutputLogger() };
        MigrationEnvironment source = Environment("source"), target = Environment("target");
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        following.At(pages, () => Cut.Now(near));
        var cut = new Cut(near, pages == 0);
        Task<ReceiveOutcome> receiving = Task.Run(() => new TargetRunner(target).ReceiveAsync(
            far, new ReceiveOptions { PeerName = "one", AdmitAsync = _ => ValueTask.FromResult<string?>(null) }, cancellationToken: Token));
        MigrationOutcome outcome = await new SourceRunner(source).SendAsync(
            near, await runtime.InspectAsync(workload.Name, null, Token),
            new SendOptions { PeerName = "two", Copy = new CopyOptions { Mode = MigrationMode.PostCopy } }, cut, Token);
        if (outcome is MigrationCompleted && !cut.HasBegun)
        {
            await receiving;
            await Shell.RunAsync($"{IGround.Current.Removal(workload.Name + HomeRuntime.Suffix)}; rm -rf --one-file-system /data/state-{workload.Name}");
            return null;
        }

        return new BrokenGiving(workload, source, target, Assert.IsType<MigrationFailed>(outcome), receiving) { Following = following };
    }

    /// <summary>The source asks on a new session, as its program does by itself.</summary>
    public async Task<RecoveredJob?> AskAsync()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        Task answering = Task.Run(() => AnswerAsync(far), Token);
        RecoveredJob? heard = await new DoubtInquiry(Source).AskAsync(near, Failed.JobId, Token, Token);
        await near.CloseAsync(0, "done", Token);
        await answering;
        return heard;
    }

    /// <summary>How the job ended at the target.</summary>
    public Task<ReceiveOutcome> EndAsync() => _receiving;

    public ValueTask DisposeAsync() => Workload.DisposeAsync();

    /// <summary>What a machine loses that is started again: the container, and who gave and kept its pages.</summary>
    public async Task LoseTargetAsync()
    {
        var processes = new LateProcesses(Target.State.Work(Failed.JobId));
        await Shell.RunAsync($"runc kill {Moved} KILL");
        await new Containers.Linux.Cgroup(processes.TryMakePlace()!).KillAsync(TimeSpan.FromSeconds(10), Token);
    }

    /// <summary>It runs at the source again as if nothing had been.</summary>
    public async Task AssertBackAsync()
    {
        Assert.Equal("running", await Workload.StatusAsync(Workload.Name));
        string root = Workload.Root;
        Assert.StartsWith("0 wrong", await Shell.RunAsync($"touch {root}/check; timeout 30 sh -c 'until [ -e {root}/checked ]; do sleep 0.05; done'; cat {root}/checked"), StringComparison.Ordinal);
        await Shell.RunAsync($"{IGround.Current.Removal(Moved)}; rm -rf --one-file-system /data/state-{Workload.Name}");
    }

    private async Task AnswerAsync(InMemorySession far)
    {
        var runner = new TargetRunner(Target);
        await using (ITunnelStream stream = await far.AcceptStreamAsync(Token))
            await (await runner.ReadQuestionAsync(stream, "one", Token)).AnswerAsync(Token);
        await runner.TakeLateAsync(far, Failed.JobId, "one", Token);
    }

    /// <summary>Notices that memory is to follow, and ends the session then if it is to.</summary>
    private sealed class Cut(InMemorySession session, bool atOnce) : IProgress<MigrationProgress>
    {
        public bool HasBegun { get; private set; }

        public void Report(MigrationProgress value)
        {
            if (value.Phase != MigrationPhase.Giving) return;
            HasBegun = true;
            if (atOnce) Now(session);
        }

        public static void Now(InMemorySession session) => _ = session.CloseAsync(7, "the link was cut", CancellationToken.None).AsTask();
    }
}
