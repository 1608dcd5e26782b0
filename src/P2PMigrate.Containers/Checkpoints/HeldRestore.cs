using System.Diagnostics;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// One restore by a runtime's own command, up to the point where the container is complete and has not run yet. Until it runs its prepared network namespace is off the network: the address without
/// the sockets would refuse its clients' connections. What each runtime has to do for it is told by a class that derives from this. Used once.
/// </summary>
internal abstract class HeldRestore(IRuntimeProgram runtime, ILogger logger, RestoreRequest request)
{
    public const string LogName = "restore.log";

    private IReadOnlyDictionary<ulong, long>? _awaited; // once it was asked for

    protected RestoreRequest Request => request;

    protected string Name => request.Container.Name;

    /// <summary>CRIU's log.</summary>
    protected string LogPath => Path.Combine(request.WorkDirectory, LogName);

    /// <summary>CRIU's configuration, in which the hook is that holds the container.</summary>
    protected string CriuConfigurationPath => Path.Combine(request.WorkDirectory, "criu-restore.conf");

    /// <summary>Are its users others here (a user namespace of its own)?</summary>
    protected virtual bool MapsUsers => false;

    /// <summary>Does CRIU leave pages for later? Known when the runtime's command is started.</summary>
    protected bool IsLazy { get; private set; }

    /// <summary>Does memory come only when the container runs? Then it cannot be restored without leaving pages for later.</summary>
    // spec: MEM-24
    private bool IsAwaited => Awaited.Count > 0;

    private IReadOnlyDictionary<ulong, long> Awaited => _awaited ??= ArrivalFile.AwaitedIn(request.ImageDirectory);

    /// <summary>Lines of CRIU's configuration besides.</summary>
    protected virtual IEnumerable<string> CriuLines => [];

    /// <summary>Can pages be left for later, by this runtime, for this container?</summary>
    public bool TakesLate
    {
        get
        {
            if (runtime.PageProgram is null || MapsUsers) return false;
            using var giving = new LateGiving(runtime, request);
            return giving.CouldBegin();
        }
    }

    /// <summary>Does ahead of time what needs neither images nor a frozen source.</summary>
    public virtual async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await runtime.VersionAsync(cancellationToken).ConfigureAwait(false);
        await KernelFacts.WarmAsync(runtime.Criu, cancellationToken).ConfigureAwait(false);
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Restores and holds; when this throws, nothing of the container is left. A restore that fails with pages left for later is done once more without.</summary>
    // spec: MEM-44
    public async Task<HeldContainer> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(mayBeLazy: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsLazy && !IsAwaited && failure is ContainerException or IOException)
        {
            return await RepeatAsync(failure, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The same with all memory first. Nothing is left of the one that failed.</summary>
    private Task<HeldContainer> RepeatAsync(Exception failure, CancellationToken cancellationToken)
    {
        logger.RestoreRepeated(Name, failure.Message);
        return RunAsync(mayBeLazy: false, cancellationToken);
    }

    private async Task<HeldContainer> RunAsync(bool mayBeLazy, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        IsLazy = false;
        (RestoreRecord record, bool raisesLoopback) = await BeginAsync(cancellationToken).ConfigureAwait(false);
        if (MapsUsers)
        {
            WayIn.ToFiles(request.RootPath);
            WayIn.ToImages(request.ImageDirectory);
        }

        await LateGiving.ForgetAsync(request.WorkDirectory, cancellationToken).ConfigureAwait(false);
        record.Save(request.WorkDirectory);
        RestoreHook? hook = null;
        DetachedProcess? process = null;
        LateGiving? giving = null;
        ReleaseGuard guard;
        try
        {
            giving = mayBeLazy && !MapsUsers ? BeginGiving() : null; // within a user namespace the kernel may refuse a userfaultfd
            if (giving is null && IsAwaited) throw new ContainerException($"The container {Name} cannot be restored at the target before all of its memory has come there, so it goes on at the source. There, type the same with --mode pre-copy.");
            await NetworkIsolation.DetachAsync(record.Links, staysUp: false, cancellationToken).ConfigureAwait(false);
            hook = RestoreHook.Create(request.WorkDirectory, raisesLoopback);
            await File.WriteAllTextAsync(CriuConfigurationPath, CriuConfiguration.ForRestore(hook.ScriptPath, CriuLines), cancellationToken).ConfigureAwait(false);
            using (IsLazy ? HugePages.Without() : null) // spec: MEM-47
                (record, process) = await StartAsync(record, cancellationToken).ConfigureAwait(false);
            if (!await hook.HoldsAsync(process, cancellationToken).ConfigureAwait(false)) throw Failure();
            if (giving is not null) await giving.RequireHeardAsync(cancellationToken).ConfigureAwait(false);
            record = hook.Fence(record, runtime);
            guard = hook.GuardOf(record, LogPath, runtime.Criu);
            if (!guard.HasCriu) throw Failure(); // killed meanwhile
        }
        catch
        {
            hook?.Dispose();
            process?.Dispose();
            giving?.Dispose();
            await new RestoreLeftovers(runtime, logger).RemoveAsync(request.WorkDirectory, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        logger.Held(Name, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return new HeldContainer(runtime, logger, record, request.WorkDirectory, hook, guard, process, giving, IsLazy && !IsAwaited ? RepeatAsync : null);
    }

    /// <summary>Looks whether it can be, while nothing is touched, and says what it will touch, and whether the container gets a new network namespace, whose lo is down.</summary>
    protected abstract Task<(RestoreRecord Record, bool RaisesLoopback)> BeginAsync(CancellationToken cancellationToken);

    /// <summary>Starts the runtime's command. What only shows now goes into the record, which is saved before it is acted on.</summary>
    protected abstract Task<(RestoreRecord Record, DetachedProcess Process)> StartAsync(RestoreRecord record, CancellationToken cancellationToken);

    /// <summary>Has somebody give pages for CRIU to leave for later; null when it pays not, or cannot be.</summary>
    // spec: MEM-44
    private LateGiving? BeginGiving()
    {
        if (runtime.PageProgram is null) return null;
        WipedOnFork.RestoreFirst(request.ImageDirectory);
        var giving = new LateGiving(runtime, request);
        if (!(IsAwaited || LateGiving.Pays(request.ImageDirectory)) || !giving.CanBegin()) return null;
        ArrivalFile.Prepare(request.ImageDirectory, Awaited);
        IsLazy = true;
        giving.Start();
        return giving;
    }

    /// <summary>Asked before our record is there: from then on a container of that name is taken for ours.</summary>
    protected virtual async Task RequireFreeNameAsync(CancellationToken cancellationToken)
    {
        if (await runtime.FindAsync(Name, cancellationToken).ConfigureAwait(false) is null) return;
        throw new ContainerException($"A container named {Name} exists here already; remove it ({runtime.RemovalCommand(Name)}) or rename it.");
    }

    /// <summary>The record of a restore that makes one of these cgroups, those of them that are not there yet.</summary>
    protected RestoreRecord NewRecord(IEnumerable<string> cgroups, IReadOnlyList<BridgeLink> links, string? networkNamespacePath) => new()
    {
        Container = Name,
        BootId = WorkRecord.CurrentBootId,
        BundlePath = request.BundlePath,
        RootPath = request.RootPath,
        Cgroups = [.. cgroups.Where(path => !Directory.Exists(path))],
        Links = links,
        NetworkNamespacePath = networkNamespacePath,
    };

    private ContainerException Failure()
    {
        string because = CriuLog.Explain(LogPath) ?? runtime.ComplaintOf(request.WorkDirectory, "restore") ?? $"{runtime.Name} gave no reason.";
        return new ContainerException($"The container {Name} could not be restored. {because}", LogPath);
    }
}
