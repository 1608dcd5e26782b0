using System.Globalization;
using System.Text;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Holds a restore before the container's first instruction. CRIU runs our script at <c>post-restore</c>, when everything exists and nothing
/// runs; the script tells us so through one FIFO and waits on another. Only the word <see cref="ReleaseWord"/> lets it
/// succeed. When we close the FIFO or die, it reads the end of file and fails, and CRIU kills what it had restored.
/// At <c>pre-resume</c>, when connections are whole again and the container is about to run, it tells us once more: time to put it on its network.
/// At <c>post-resume</c>, when CRIU has let go of it, a file says so to whoever comes later: until then a container that never runs looks as if it did.
/// Owns both FIFOs' descriptors; disposing it unreleased calls the restore off.
/// </summary>
internal sealed class RestoreHook : IDisposable
{
    private const string ReleaseWord = "release";
    private const byte HeldByte = (byte)'h';
    private const byte ReadyByte = (byte)'r';
    private const byte OverByte = (byte)'x';

    private readonly FileStream _held;
    private readonly FileStream _release;

    private RestoreHook(string scriptPath, FileStream held, FileStream release) => (ScriptPath, _held, _release) = (scriptPath, held, release);

    /// <summary>What CRIU is told to run.</summary>
    public string ScriptPath { get; }

    /// <summary>Writes the script and makes the FIFOs. <paramref name="raiseLoopback"/>: the container gets a new network namespace, whose lo is down.</summary>
    public static RestoreHook Create(string workDirectory, bool raiseLoopback)
    {
        string script = Path.Combine(workDirectory, "hook");
        File.Delete(ResumedIn(workDirectory));
        HookFifo.WriteScript(script, Script(workDirectory, raiseLoopback));
        return new RestoreHook(script, HookFifo.Make(HeldIn(workDirectory)), HookFifo.Make(ReleaseIn(workDirectory)));
    }

    /// <summary>Has the container that was restored in this work directory been let run, by CRIU's own word?</summary>
    public static bool HasResumed(string workDirectory) => File.Exists(ResumedIn(workDirectory));

    /// <summary>Waits until the container is held; false when <see cref="GiveUp"/> came first.</summary>
    private Task<bool> WaitUntilHeldAsync() => Task.Run(() => _held.ReadByte() == HeldByte);

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

    /// <summary>Waits, after <see cref="Release"/>, until the container is about to run; false when <see cref="GiveUp"/> came first.</summary>
    public Task<bool> WaitUntilReadyAsync() => Task.Run(() => _held.ReadByte() == ReadyByte);

    /// <summary>Wakes whoever waits: the restore has ended.</summary>
    public void GiveUp() => _held.Write([OverByte]);

    /// <summary>Lets the container run.</summary>
    public void Release() => _release.Write(Encoding.ASCII.GetBytes(ReleaseWord + "\n"));

    public void Dispose()
    {
        _release.Dispose();
        _held.Dispose();
    }

    private static string Script(string workDirectory, bool raiseLoopback) => string.Create(CultureInfo.InvariantCulture, $"""
        #!/bin/sh
        case "$CRTOOLS_SCRIPT_ACTION" in
        post-setup-namespaces)
            {(raiseLoopback ? "nsenter --net=\"/proc/$CRTOOLS_INIT_PID/ns/net\" ip link set lo up || :" : ":")}
            ;;
        post-restore)
            {HookFifo.Await(ReleaseIn(workDirectory), HeldIn(workDirectory), (char)HeldByte)} && [ "$word" = {ReleaseWord} ] || exit 1
            ;;
        pre-resume)
            printf {(char)ReadyByte} 1<>{HookFifo.Quote(HeldIn(workDirectory))}
            ;;
        post-resume)
            : > {HookFifo.Quote(ResumedIn(workDirectory))}
            ;;
        esac

        """);

    private static string ResumedIn(string workDirectory) => Path.Combine(workDirectory, "resumed");

    private static string HeldIn(string workDirectory) => Path.Combine(workDirectory, "held");

    private static string ReleaseIn(string workDirectory) => Path.Combine(workDirectory, ReleaseWord);
}
