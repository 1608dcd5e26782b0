using System.Diagnostics;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Runc;

/// <summary>
/// One <c>runc checkpoint</c> of a frozen container, memory into a page-server sink. CRIU is never killed: when anything goes wrong
/// on our side the sink closes its connection, CRIU fails by itself, resumes what it had seized into the frozen cgroup and cleans
/// up behind it; that end is waited for. If our process dies, the connection breaks and the same happens.
/// </summary>
internal sealed class RuncDump(RuncTool runc, string workDirectory)
{
    private const string LogName = "dump.log";

    private string LogPath => Path.Combine(workDirectory, LogName);

    private string RuncLogPath => Path.Combine(workDirectory, "runc-dump.log");

    /// <summary>Dumps. When this throws, no CRIU of it runs any more, or the message says that one still does.</summary>
    public async Task<DumpSummary> RunAsync(
        FenceRecord fence, bool manageCgroups, string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        ToolVersion criu = await runc.CriuVersionAsync(cancellationToken).ConfigureAwait(false);
        string configuration = Path.Combine(workDirectory, "criu-dump.conf");
        await File.WriteAllTextAsync(configuration, CriuConfiguration.ForDump(criu, fence.Isolated, Tool.Exists("nft")), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> versioned = await runc.DumpOptionsAsync(manageCgroups, cancellationToken).ConfigureAwait(false);

        using var sink = new PageServerSink(PageServerDialect.Of(criu), pages, () => OwnedProcesses.Find(workDirectory).Select(process => process.Pid));
        using var process = DetachedProcess.Start(
            workDirectory,
            [
                .. runc.CommandLine("--log", RuncLogPath, "--log-format", "json", "checkpoint"),
                "--leave-running", "--tcp-established", "--file-locks", .. versioned,
                "--page-server", sink.Address.ToString(), "--image-path", imageDirectory, "--work-path", workDirectory, fence.Container,
            ],
            new Dictionary<string, string> { [CriuConfiguration.Variable] = configuration },
            piped: false);
        long dumped = await SuperviseAsync(fence.Container, process, sink, cancellationToken).ConfigureAwait(false);
        return new DumpSummary(Stopwatch.GetElapsedTime(start), dumped);
    }

    private async Task<long> SuperviseAsync(string container, DetachedProcess process, PageServerSink sink, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<long> pages = sink.RunAsync(stop.Token);
        Task<int> exit = process.WaitAsync(CancellationToken.None);

        // However the pages end, CRIU ends soon after: with success, or because its connection is closed.
        await Task.WhenAny(pages, exit).ConfigureAwait(false);
        if (pages.IsCompleted && !pages.IsCompletedSuccessfully) sink.Dispose();
        int? code = exit.IsCompleted ? await exit.ConfigureAwait(false) : await process.WaitAsync(RuncTimers.DumpUndo).ConfigureAwait(false);
        if (code is null) throw new ContainerException($"CRIU does not finish its dump of {container}. It is still at work: do not kill it.", LogPath);

        stop.CancelAfter(code == 0 ? RuncTimers.LastAnswer : TimeSpan.Zero);
        Exception? failure = await FailureOfAsync(pages).ConfigureAwait(false);
        if (code == 0 && failure is null) return await pages.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        throw Compose(container, failure);
    }

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
            _ => CriuLog.Explain(LogPath) ?? RuncLog.LastError(RuncLogPath) ?? "runc gave no reason.",
        };
        return new ContainerException($"The container {container} could not be dumped. {because}", LogPath, failure);
    }
}
