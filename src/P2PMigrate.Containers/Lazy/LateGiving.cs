using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// A restore whose pages are given while the container runs, seen from the process that restores: whether it pays, the program that gives pages (<see cref="LazyPages"/>), which lives on without us,
/// and its end. Only the process that owns the job does any of it, and one thing at a time. What is called Late here is the restorer's side, what is called Lazy the giver's.
/// </summary>
internal sealed class LateGiving(IRuntimeProgram runtime, RestoreRequest request) : IDisposable
{
    /// <summary>With fewer pages that can be late, there is nothing to be gained.</summary>
    public const long PagesMin = 4096; // CONST-380

    /// <summary>The last word of the command that goes on in place of a killed one.</summary>
    public const string TakeOverWord = "take-over";

    private const int TriesMax = 5;

    // What ends programs of a machine without meaning this one does not reach it (MIG-15): $1 is a cgroup of its own.
    private const string Script = """
        trap '' HUP INT TERM
        { echo -1000 >/proc/self/oom_score_adj; } 2>/dev/null
        echo 0 >"$1/cgroup.procs" || exit 1
        shift
        exec "$@"
        """;

    private readonly LateProcesses _processes = new(request.WorkDirectory);
    private DetachedProcess? _process;

    /// <summary>Are there so many pages that can be late that it pays?</summary>
    // spec: MEM-44
    public static bool Pays(string imageDirectory) =>
        PagemapChain.ProcessesIn(imageDirectory).Sum(image => PagemapChain.LazyPagesOf(imageDirectory, image)) >= PagesMin;

    /// <summary>Ends whoever gives pages to a restore that is over or given up, and whoever keeps descriptors of it, and forgets them. Nothing of the restore may run that lacks pages.</summary>
    public static Task ForgetAsync(string workDirectory, CancellationToken cancellationToken)
    {
        LazyHandover.Delete(workDirectory);
        LateFailure.Delete(workDirectory);
        return new LateProcesses(workDirectory).EndAsync(cancellationToken);
    }

    /// <summary>Can there be such a process on this machine, and late memory at all?</summary>
    // spec: MEM-44
    public bool CanBegin() => Userfault.IsThere && _processes.TryMakePlace() is not null;

    /// <summary>The same, asked long before; leaves nothing.</summary>
    // spec: MIG-101
    public bool CouldBegin() => Userfault.IsThere && _processes.CanMakePlace();

    /// <summary>
    /// Before a restored container is let run: throws <see cref="ContainerException"/> when it lacks pages that nobody keeps any more, so that it would read zeros, or when it is not known what it lacks.
    /// </summary>
    // spec: MEM-41
    public static void RequireKept(string workDirectory, string container)
    {
        if (LazyHandover.Load(workDirectory) is not { } handover || handover is { IsRestored: true } && (handover.Keeper.IsAlive || handover.Giver.IsAlive)) return;
        if (LazyHandover.Load(workDirectory) is null) return; // it has just ended
        throw new ContainerException($"Memory pages of {container} that were to follow have been lost, so it is not let run here{LateFailure.Because(workDirectory)}.");
    }

    /// <summary>Of a container that is held: is somebody left who holds what CRIU has handed over?</summary>
    // spec: MEM-41
    public bool IsKept => LazyHandover.Load(request.WorkDirectory) is { } handover && (handover.Keeper.IsAlive || handover.Giver.IsAlive);

    /// <summary>Starts it. CRIU can be started at once: it waits for who begins meanwhile. Throws <see cref="ContainerException"/> where no such process can be.</summary>
    public void Start()
    {
        using var socket = new ListeningSocket(request.WorkDirectory, LazyPages.SocketName);
        _process = Begin(socket.Descriptor.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Of a container that is held: waits until what CRIU has handed over is not lost any more, whoever is killed. Throws <see cref="ContainerException"/> when that does not come.</summary>
    // spec: MEM-41
    public Task RequireHeardAsync(CancellationToken cancellationToken) =>
        WaitAsync(handover => handover is { CriuDescriptor: not null }, () => _process!.HasEnded, "does not start", cancellationToken);

    /// <summary>Of a container that CRIU has let go of: waits until it is known that every process was handed over. Throws <see cref="ContainerException"/> when it is not.</summary>
    /// <param name="watch">What <see cref="WatchAsync"/> gave, which starts again what is killed.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    // spec: MEM-41
    public Task RequireWholeAsync(Task watch, CancellationToken cancellationToken) =>
        WaitAsync(handover => handover is null or { IsRestored: true }, () => watch.IsCompleted, "does not know all of them", cancellationToken);

    /// <summary>Of a container that does not run yet: has its pages given, also by another when one is killed, until there are none. Throws <see cref="ContainerException"/> when they cannot be, or are lost.</summary>
    // spec: MEM-41
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        if (!await GiveAllAsync(cancellationToken).ConfigureAwait(false)) throw new ContainerException("The programs that keep its memory pages were killed.");
    }

    /// <summary>
    /// Of one that runs: the same, and removes what is left of it. Returns at once when there are none. When this throws <see cref="ContainerException"/>, the container waits for what is missing,
    /// or, where nothing keeps it waiting any more, it was frozen as soon as that was seen.
    /// </summary>
    // spec: MEM-41
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (!await GiveAllAsync(cancellationToken).ConfigureAwait(false)) throw await StopAsync(cancellationToken).ConfigureAwait(false);
        await _processes.EndAsync(cancellationToken).ConfigureAwait(false); // who gave the pages does so too, unless it was killed just then
    }

    /// <inheritdoc/>
    public void Dispose() => _process?.Dispose();

    /// <summary>False when nobody keeps what is missing any more.</summary>
    private async Task<bool> GiveAllAsync(CancellationToken cancellationToken)
    {
        for (int tries = 0; LazyHandover.Load(request.WorkDirectory) is { } handover;)
        {
            // One that gives, or was about to take over for an earlier process of ours: it may have come to its end meanwhile.
            if (handover.Giver.IsAlive || _processes.EndGivers() || LazyHandover.Load(request.WorkDirectory) != handover)
            {
                await Task.Delay(CheckpointTimers.Look, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (!handover.Keeper.IsAlive) return false;
            _processes.EndKeepersBut(handover.Keeper);
            if (tries++ == TriesMax)
            {
                throw new ContainerException(
                    $"The container {request.Container.Name} waits here for memory pages that could not be given to it{LateFailure.Because(request.WorkDirectory)}. "
                    + $"How to try once more says 'p2pmigrate jobs'; to give it up, end it ({runtime.KillCommand(request.Container.Name)}).");
            }

            using DetachedProcess process = Begin(TakeOverWord);
            await process.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Nobody keeps the container waiting any more: what it reads next could be zeros. A later container of that name, or in that cgroup, is left alone.</summary>
    private async Task<ContainerException> StopAsync(CancellationToken cancellationToken)
    {
        string name = request.Container.Name;
        string what = $"Memory pages of the container {name} that were to follow are lost, for the programs that kept them were killed{LateFailure.Because(request.WorkDirectory)}. ";
        if (RestoreRecord.Load(request.WorkDirectory) is not { CgroupPath: { } path, Init.IsAlive: true })
            return new ContainerException($"{what}It has ended here. Start it anew ({runtime.StartCommand(name, request.BundlePath)}).");
        string end = $"End it ({runtime.KillCommand(name)}), and start it anew.";
        try
        {
            if (await new Cgroup(path).SetFrozenAsync(frozen: true, CheckpointTimers.Freeze, cancellationToken).ConfigureAwait(false))
                return new ContainerException($"{what}It may be damaged, and stands still here. {end}");
        }
        catch (ContainerException)
        {
            // its cgroup goes, or refuses
        }

        return new ContainerException($"{what}It may be damaged, and could not be stopped: it runs here. {end}");
    }

    private async Task WaitAsync(Func<LazyHandover?, bool> isReached, Func<bool> isOver, string otherwise, CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        for (bool wasOver = false; !isReached(LazyHandover.Load(request.WorkDirectory)); wasOver = isOver())
        {
            if (wasOver || Environment.TickCount64 - start > CheckpointTimers.DumpStart.TotalMilliseconds)
                throw new ContainerException($"The program that gives memory pages to a restored container {otherwise}{LateFailure.Because(request.WorkDirectory)}.");
            await Task.Delay(CheckpointTimers.Glance, cancellationToken).ConfigureAwait(false);
        }
    }

    private DetachedProcess Begin(params string[] words) => DetachedProcess.Start(
        request.WorkDirectory,
        ["/bin/sh", "-c", Script, "sh", _processes.TryMakePlace() ?? throw new ContainerException("The programs that give memory pages cannot have a cgroup of their own."), "env", "-u", OwnedProcesses.Variable, .. runtime.PageProgram!, request.WorkDirectory, request.ImageDirectory, .. words],
        new Dictionary<string, string> { [LateProcesses.Variable] = request.WorkDirectory },
        piped: false);
}
