using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// A restore whose pages are given while the container runs, seen from the process that restores: whether it pays, the program that gives pages (<see cref="LazyPages"/>), which lives on without us,
/// and its end.
/// </summary>
/// <param name="program">The command that gives pages; the work directory and that of the images follow, and the number of a socket that listens for CRIU, or <see cref="TakeOverWord"/> where one was killed.</param>
/// <param name="request">The restore.</param>
internal sealed class LateGiving(IReadOnlyList<string> program, RestoreRequest request) : IDisposable
{
    /// <summary>With fewer pages that can be late, there is nothing to be gained.</summary>
    public const long PagesMin = 4096; // CONST-380

    /// <summary>The last word of the command that goes on in place of a killed one.</summary>
    public const string TakeOverWord = "take-over";

    /// <summary>Names the work directory in the environment of who gives pages; see <see cref="OwnedProcesses.Variable"/> for those that do not outlive the restore.</summary>
    public const string Variable = "P2PMIGRATE_LAZY_WORK";

    private const int TriesMax = 5;

    private DetachedProcess? _process;

    /// <summary>Are there so many pages that can be late that it pays?</summary>
    // spec: MEM-44
    public static bool Pays(string imageDirectory) =>
        PagemapChain.ProcessesIn(imageDirectory).Sum(image => PagemapChain.LazyPagesOf(imageDirectory, image)) >= PagesMin;

    /// <summary>Ends whoever gives pages to a restore that is given up, and whoever keeps descriptors of it.</summary>
    public static void GiveUp(string workDirectory)
    {
        foreach (ProcessIdentity process in OwnedProcesses.Find(workDirectory, Variable)) process.Kill();
    }

    /// <summary>Starts it. CRIU can be started at once: it waits for who begins meanwhile.</summary>
    public void Start()
    {
        if (LazyHandover.Exists(request.WorkDirectory)) GiveUp(request.WorkDirectory);
        LazyHandover.Delete(request.WorkDirectory);
        using var socket = new ListeningSocket(request.WorkDirectory, LazyPages.SocketName);
        _process = Begin(socket.Descriptor.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Of a container that is held: waits until what CRIU has handed over is not lost any more, whoever is killed. Throws <see cref="ContainerException"/> when that does not come.</summary>
    // spec: MEM-41
    public async Task RequireAsync(CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        while (LazyHandover.Load(request.WorkDirectory) is not { CriuDescriptor: not null })
        {
            if (_process!.HasEnded || Environment.TickCount64 - start > CheckpointTimers.DumpStart.TotalMilliseconds) throw new ContainerException($"The program that gives memory pages to a restored container does not start{Why()}.");
            await Task.Delay(CheckpointTimers.Glance, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Waits until every page was given; one that was killed meanwhile is started again. Returns at once when there are none. Throws <see cref="ContainerException"/> when it cannot be done: the container
    /// waits for what is missing then.
    /// </summary>
    // spec: MEM-41
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        for (int tries = 0; LazyHandover.Load(request.WorkDirectory) is { } handover;)
        {
            if (handover.Ended is not null)
            {
                handover.Keeper.Kill(); // who gave the pages does so too, unless it was killed just then
                handover.FormerKeeper?.Kill();
                return;
            }

            if (handover.Giver.IsAlive)
            {
                await Task.Delay(CheckpointTimers.Look, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (LazyHandover.Load(request.WorkDirectory) is not { Ended: null }) return;
            if (tries++ == TriesMax || !handover.Keeper.IsAlive)
            {
                throw new ContainerException(
                    $"The container {request.Container.Name} runs here, but waits for memory pages that can no longer be given to it{Why()}. It will not go on; end it, and start it anew.");
            }

            using DetachedProcess process = Begin(TakeOverWord);
            await process.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _process?.Dispose();

    private string Why() => LazyHandover.Load(request.WorkDirectory)?.Failure is { } failure ? $": {failure.TrimEnd('.')}" : "";

    private DetachedProcess Begin(params string[] words) => DetachedProcess.Start(
        request.WorkDirectory,
        ["env", "-u", OwnedProcesses.Variable, .. program, request.WorkDirectory, request.ImageDirectory, .. words],
        new Dictionary<string, string> { [Variable] = request.WorkDirectory },
        piped: false);
}
