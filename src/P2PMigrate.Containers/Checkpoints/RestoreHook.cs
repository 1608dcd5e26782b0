using System.Globalization;
using System.Text;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Holds a restore before the container's first instruction, twice. CRIU runs our script at <c>post-restore</c>, when everything exists and nothing
/// runs; the script tells us so through one FIFO and waits on another. Only the word <see cref="ReleaseWord"/> lets it
/// succeed. When we close the FIFO or die, it reads the end of file and fails, and CRIU kills what it had restored.
/// At <c>pre-resume</c>, before CRIU lets go of the processes, the script freezes the container's own cgroup, first taking CRIU out of it, which runc puts there: whatever becomes of CRIU and the
/// runtime from then on, the container runs when somebody thaws it, and not before. What cannot be frozen, or only when CRIU is gone already, is killed, and CRIU with it. CRIU goes on even when the script could not run, so only the file that
/// says that it has frozen counts (<see cref="HasFrozen"/>).
/// Owns both FIFOs' descriptors; disposing it unreleased calls the restore off.
/// </summary>
internal sealed class RestoreHook : IDisposable
{
    private const string ReleaseWord = "release";
    private const byte HeldByte = (byte)'h';
    private const byte OverByte = (byte)'x';

    private readonly string _workDirectory;
    private readonly FileStream _held;
    private readonly FileStream _release;

    private RestoreHook(string workDirectory, FileStream held, FileStream release) => (_workDirectory, _held, _release) = (workDirectory, held, release);

    /// <summary>What CRIU is told to run.</summary>
    public string ScriptPath => ScriptIn(_workDirectory);

    /// <summary>Writes the script and makes the FIFOs. <paramref name="raiseLoopback"/>: the container gets a new network namespace, whose lo is down.</summary>
    public static RestoreHook Create(string workDirectory, bool raiseLoopback)
    {
        foreach (string former in (string[])[InitIn(workDirectory), CriuIn(workDirectory), HeardIn(workDirectory), CgroupIn(workDirectory), FrozenIn(workDirectory)]) File.Delete(former);
        HookFifo.WriteScript(ScriptIn(workDirectory), Script(workDirectory, raiseLoopback, HookFifo.Quote(Cgroup.Of(Environment.ProcessId).Path + "/cgroup.procs")));
        return new RestoreHook(workDirectory, HookFifo.Make(HeldIn(workDirectory)), HookFifo.Make(ReleaseIn(workDirectory)));
    }

    /// <summary>The number of the first process of what is, or was, held; null when it did not come so far.</summary>
    public static int? InitOf(string workDirectory) => NumberIn(InitIn(workDirectory));

    /// <summary>Was CRIU told to let go of the container? From then on it may run, unless <see cref="HasFrozen"/>.</summary>
    public static bool HasHeard(string workDirectory) => File.Exists(HeardIn(workDirectory));

    /// <summary>Was the container frozen while CRIU had it in its hands? Then it does not run until somebody thaws it, whatever has become of CRIU.</summary>
    // spec: MIG-59
    public static bool HasFrozen(string workDirectory) => File.Exists(FrozenIn(workDirectory));

    /// <summary>Waits until the container is held; false when <paramref name="restore"/> ended before.</summary>
    public async Task<bool> HoldsAsync(DetachedProcess restore, CancellationToken cancellationToken)
    {
        Task<bool> held = WaitUntilHeldAsync();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<int> exit = restore.WaitAsync(patience.Token);
        await Task.WhenAny(held, exit).ConfigureAwait(false);
        if (!held.IsCompleted) GiveUp();
        await patience.CancelAsync().ConfigureAwait(false);
        if (await held.ConfigureAwait(false)) return true;
        cancellationToken.ThrowIfCancellationRequested();
        return false;
    }

    /// <summary>Of a container that is held: tells the script what to freeze, which is its cgroup, and writes it down. Throws when this program is in it too.</summary>
    public RestoreRecord Fence(RestoreRecord record, IRuntimeProgram runtime)
    {
        int init = InitOf(_workDirectory)!.Value;
        Cgroup cgroup = runtime.CgroupOf(record.Container, init);
        cgroup.PidsOfOthers(record.Container);
        File.WriteAllText(CgroupIn(_workDirectory), cgroup.Path + "\n");
        RestoreRecord fenced = record with { CgroupPath = cgroup.Path, Init = ProcessIdentity.Of(init) };
        fenced.Save(_workDirectory);
        return fenced;
    }

    /// <summary>Of a container that is held: what watches over its release.</summary>
    /// <param name="record">With its cgroup.</param>
    /// <param name="logPath">CRIU's log.</param>
    /// <param name="criu">The criu program. What the script takes for its parent is another, if CRIU was killed before it began.</param>
    public ReleaseGuard GuardOf(RestoreRecord record, string logPath, string criu)
    {
        int? parent = NumberIn(CriuIn(_workDirectory));
        bool isCriu = parent is { } pid && ProcessTable.Status(pid, "Name") is { Length: > 0 } name
            && (name.Contains("criu", StringComparison.Ordinal) || Path.GetFileName(criu).StartsWith(name, StringComparison.Ordinal));
        return new ReleaseGuard(isCriu ? ProcessIdentity.Of(parent!.Value) : null, _workDirectory, logPath, new Cgroup(record.CgroupPath!));
    }

    /// <summary>Lets CRIU finish, and end.</summary>
    public void Release() => _release.Write(Encoding.ASCII.GetBytes(ReleaseWord + "\n"));

    public void Dispose()
    {
        _release.Dispose();
        _held.Dispose();
    }

    /// <summary>False when <see cref="GiveUp"/> came first.</summary>
    private Task<bool> WaitUntilHeldAsync() => Task.Run(() => _held.ReadByte() == HeldByte);

    /// <summary>Wakes whoever waits: the restore has ended.</summary>
    private void GiveUp() => _held.Write([OverByte]);

    private static string Script(string workDirectory, bool raiseLoopback, string place) => string.Create(CultureInfo.InvariantCulture, $$"""
        #!/bin/sh
        case "$CRTOOLS_SCRIPT_ACTION" in
        post-setup-namespaces)
            {{(raiseLoopback ? "nsenter --net=\"/proc/$CRTOOLS_INIT_PID/ns/net\" ip link set lo up || :" : ":")}}
            ;;
        post-restore)
            echo "$CRTOOLS_INIT_PID" > {{HookFifo.Quote(InitIn(workDirectory))}} && echo $PPID > {{HookFifo.Quote(CriuIn(workDirectory))}} || exit 1
            {{HookFifo.Await(ReleaseIn(workDirectory), HeldIn(workDirectory), (char)HeldByte)}} && [ "$word" = {{ReleaseWord}} ] && true > {{HookFifo.Quote(HeardIn(workDirectory))}} || exit 1
            ;;
        pre-resume)
            criu= cgroup=
            read -r criu < {{HookFifo.Quote(CriuIn(workDirectory))}} && read -r cgroup < {{HookFifo.Quote(CgroupIn(workDirectory))}} && [ "$PPID" = "$criu" ] \
                && echo $PPID > {{place}} && echo $$ > {{place}} && echo 1 > "$cgroup/cgroup.freeze" && [ -e /proc/$PPID/exe ] && true > {{HookFifo.Quote(FrozenIn(workDirectory))}} || {
                if [ -n "$cgroup" ]; then echo 1 > "$cgroup/cgroup.kill"; else kill -9 "$CRTOOLS_INIT_PID"; fi
                [ "$PPID" != "$criu" ] || [ ! -e /proc/$PPID/exe ] || kill -9 $PPID # it would wait for what is killed
                exit 1
            }
            ;;
        post-resume)
            [ -e {{HookFifo.Quote(FrozenIn(workDirectory))}} ] || { read -r cgroup < {{HookFifo.Quote(CgroupIn(workDirectory))}} && echo 1 > "$cgroup/cgroup.kill"; }
            ;;
        esac

        """);

    private static int? NumberIn(string path) => File.Exists(path) && int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out int number) ? number : null;

    private static string ScriptIn(string workDirectory) => Path.Combine(workDirectory, "hook");

    private static string InitIn(string workDirectory) => Path.Combine(workDirectory, "init");

    private static string CriuIn(string workDirectory) => Path.Combine(workDirectory, "criu");

    private static string HeardIn(string workDirectory) => Path.Combine(workDirectory, "heard");

    private static string CgroupIn(string workDirectory) => Path.Combine(workDirectory, "cgroup");

    private static string FrozenIn(string workDirectory) => Path.Combine(workDirectory, "frozen");

    private static string HeldIn(string workDirectory) => Path.Combine(workDirectory, "held");

    private static string ReleaseIn(string workDirectory) => Path.Combine(workDirectory, ReleaseWord);
}
