using System.Diagnostics;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// One dump, memory into a sink. It is started while the container runs and waits in <see cref="DumpHook"/> until it is let go on,
/// when the container is frozen. CRIU is never killed: when anything goes wrong
/// on our side the delivery of memory closes its connection, if it has one, and CRIU fails by itself or comes to its end, resumes what it had seized into the frozen cgroup and cleans
/// up behind it; that end is waited for. If our process dies, the same happens. Used once; disposing one that still waits calls it off.
/// </summary>
// spec: MIG-90, MIG-91
internal sealed class CriuDump : IAsyncDisposable
{
    /// <summary>CRIU's log of a dump, in its work directory.</summary>
    public const string LogName = "dump.log";

    private readonly IRuntimeProgram _runtime;
    private readonly string _container;
    private readonly string _workDirectory;
    private readonly Cgroup _cgroup;
    private readonly LatePageSink _pages = new();
    private readonly IMemoryDelivery _memory;
    private readonly DumpHook _hook;
    private readonly DetachedProcess _process;
    private bool _begun;

    private CriuDump(FenceRecord fence, string workDirectory, (bool Lazily, bool KeepsCgroups) kind, IRuntimeProgram runtime, ToolVersion criu, IReadOnlyList<string> versioned)
    {
        (_runtime, _container, _workDirectory, IsLazy, KeepsCgroups) = (runtime, fence.Container, workDirectory, kind.Lazily, kind.KeepsCgroups);
        _cgroup = new Cgroup(fence.CgroupPath);
        string configuration = Path.Combine(workDirectory, "criu-dump.conf");
        _memory = IsLazy
            ? new FrozenPages(DraftPath, RemainingMemory.NotesIn(workDirectory), _pages, mayLeave: _cgroup.FrozenSoFar is not null, _cgroup.Pids)
            : new PageServerSink(PageServerDialect.Of(criu), _pages, () => OwnedProcesses.Find(workDirectory).Select(process => process.Pid));
        try
        {
            _hook = DumpHook.Create(workDirectory);
            File.WriteAllText(configuration, CriuConfiguration.ForDump(criu, fence.Isolated, Tool.Exists("nft"), _hook.ScriptPath, [.. _memory.CriuOptions, .. runtime.DumpLines(fence, _memory)]));
            _process = DetachedProcess.Start(
                workDirectory,
                runtime.DumpCommand(fence, DraftPath, workDirectory, _memory, versioned),
                new Dictionary<string, string>
                {
                    [CriuConfiguration.Variable] = configuration,
                    ["PATH"] = CriuShield.Write(workDirectory, runtime.Criu),
                },
                piped: false);
            _memory.Started();
        }
        catch
        {
            _hook?.Dispose();
            _memory.Dispose();
            throw;
        }
    }

    /// <summary>Does it leave in the processes what they can keep, for us to read?</summary>
    public bool IsLazy { get; }

    /// <summary>Did CRIU give it up by itself, and so put the processes back as they were, before any memory was delivered? A CRIU that was killed has not.</summary>
    public bool CanBeRepeated { get; private set; }

    /// <summary>Can it be repeated, and did it fail for something that passes when the container goes on?</summary>
    public bool FailedInPassing { get; private set; }

    /// <summary>Does it dump the container's own cgroups and its cgroup namespace too?</summary>
    public bool KeepsCgroups { get; }

    /// <summary>Has it ended, without having been let go on?</summary>
    public bool HasEnded => _process.HasEnded;

    private string LogPath => Path.Combine(_workDirectory, LogName);

    /// <summary>Where the images appear. It is not known yet where they are wanted.</summary>
    private string DraftPath => Path.Combine(_workDirectory, "draft");

    /// <summary>Starts it. It touches nothing of the container.</summary>
    public static async Task<CriuDump> StartAsync(IRuntimeProgram runtime, string workDirectory, FenceRecord fence, bool lazily, CancellationToken cancellationToken)
    {
        ToolVersion criu = await runtime.CriuVersionAsync(cancellationToken).ConfigureAwait(false);
        bool keepsCgroups = fence.MustKeepCgroups();
        IReadOnlyList<string> versioned = await runtime.DumpOptionsAsync(fence, keepsCgroups, cancellationToken).ConfigureAwait(false);
        return await Task.Run(
            () =>
            {
                string draft = Path.Combine(workDirectory, "draft");
                if (Directory.Exists(draft)) Directory.Delete(draft, recursive: true);
                RemainingMemory.Forget(workDirectory);
                File.Delete(Path.Combine(workDirectory, LogName)); // what an earlier one complained of is not this one's
                Directory.CreateDirectory(draft);
                return new CriuDump(fence, workDirectory, (lazily, keepsCgroups), runtime, criu, versioned);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until CRIU waits for its word; false when it ended before or takes too long.</summary>
    public async Task<bool> WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        Task<bool> there = _hook.WaitUntilThereAsync();
        Task<int?> exit = _process.WaitAsync(CheckpointTimers.DumpStart);
        Task either = Task.WhenAny(there, exit).WaitAsync(cancellationToken);
        await either.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!there.IsCompleted) _hook.GiveUp();
        bool isThere = await there.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return isThere;
    }

    /// <summary>Dumps, now that the container is frozen. When this throws, no CRIU of it runs any more, or the message says that one still does.</summary>
    public async Task<DumpSummary> RunAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        _begun = true;
        _pages.Connect(pages);
        long dumped = await SuperviseAsync(_container, _process, cancellationToken).ConfigureAwait(false);
        foreach (string memory in Directory.EnumerateFiles(DraftPath).Where(PagemapImage.IsMemory)) File.Delete(memory);
        foreach (string image in Directory.EnumerateFiles(DraftPath)) File.Move(image, Path.Combine(imageDirectory, Path.GetFileName(image)), overwrite: true);
        return new DumpSummary(Stopwatch.GetElapsedTime(start), dumped);
    }

    public async ValueTask DisposeAsync()
    {
        _hook.Dispose();
        _memory.Dispose();
        if (!_begun) await _process.WaitAsync(CheckpointTimers.DumpUndo).ConfigureAwait(false);
        _process.Dispose();
    }

    private async Task<long> SuperviseAsync(string container, DetachedProcess process, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<bool> complete = _hook.WaitUntilCompleteAsync();
        Task<long> pages = _memory.RunAsync(complete, stop.Token);
        _hook.Go();
        Task<int> exit = process.WaitAsync(CancellationToken.None);

        // However the pages end, CRIU ends soon after: with success, or because its connection is closed.
        await Task.WhenAny(pages, exit).ConfigureAwait(false);
        if (pages.IsCompleted && !pages.IsCompletedSuccessfully) _memory.Dispose();
        int? code = exit.IsCompleted ? await exit.ConfigureAwait(false) : await process.WaitAsync(CheckpointTimers.DumpUndo).ConfigureAwait(false);
        _hook.GiveUpOnImages(); // no more letters come

        // CRIU outlives a runtime's program that was killed, and holds the processes until it has undone what it did.
        bool isOver = code == 0 || (code is not null && await OwnedProcesses.WaitForEndAsync(_workDirectory, CheckpointTimers.DumpUndo, CancellationToken.None).ConfigureAwait(false));
        if (!isOver) throw new ContainerException($"CRIU does not finish its dump of {container}. It is still at work: do not kill it.", LogPath);

        var standstill = Standstill.Begin(_cgroup); // until now CRIU held every process
        stop.CancelAfter(code == 0 ? _memory.Patience : TimeSpan.Zero);
        Exception? failure = await FailureOfAsync(pages).ConfigureAwait(false);
        await complete.ConfigureAwait(false);
        if (code == 0 && failure is null)
        {
            if (!standstill.HasHeld()) throw Stirred();
            RemainingMemory.Note(_workDirectory, standstill);
            return await pages.ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        CanBeRepeated = code != 0 && !_pages.IsUsed && CriuLog.HasGivenUp(LogPath);
        FailedInPassing = CanBeRepeated && CriuLog.IsPassing(LogPath);
        throw Compose(container, failure);
    }

    // spec: MIG-151
    private ContainerException Stirred() =>
        new($"The container {_container} was thawed by somebody while its memory was read, so what was read is not its last state. Leave its cgroup alone ({_cgroup.Path}) and try again.", LogPath);

    private static async Task<Exception?> FailureOfAsync(Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.Exception?.InnerException ?? (task.IsCanceled ? new OperationCanceledException() : null);
    }

    /// <summary>The first reason wins. A connection that broke or was given up tells nothing: then CRIU knows why.</summary>
    private ContainerException Compose(string container, Exception? failure)
    {
        string because = failure switch
        {
            PageSinkException { InnerException: ContainerException known } => known.Message,
            PageSinkException => $"Its memory pages could not be delivered: {failure.Message}",
            ContainerException => failure.Message,
            _ when CriuLog.IsCutOff(LogPath) => $"CRIU broke off in the middle of it, as when it is killed: processes that it was working on may have died. {CriuLog.Explain(LogPath)}".TrimEnd(),
            _ => CriuLog.Explain(LogPath) ?? _runtime.ComplaintOf(_workDirectory, "dump") ?? $"{_runtime.Name} gave no reason.",
        };
        return new ContainerException($"The container {container} could not be dumped. {because}", LogPath, failure);
    }
}
