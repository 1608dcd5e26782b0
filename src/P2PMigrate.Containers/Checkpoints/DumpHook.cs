using System.Text;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Holds a dump before CRIU has touched anything: at <c>pre-dump</c> CRIU has started, read its options and tried out the kernel, and waits for our script. So
/// all of that is done while the container runs. Only the word <see cref="GoWord"/> lets it go on; when we close the FIFO or die, the script fails and CRIU
/// gives up without having seized a process. At <c>post-dump</c> it only says that the images are complete.
/// </summary>
internal sealed class DumpHook : IDisposable
{
    private const string GoWord = "go";
    private const char WaitingLetter = 'w';
    private const char CompleteLetter = 'c';
    private const byte OverByte = (byte)'x', LostByte = (byte)'l';

    private readonly FileStream _waiting;
    private readonly FileStream _go;

    private DumpHook(string scriptPath, FileStream waiting, FileStream go) => (ScriptPath, _waiting, _go) = (scriptPath, waiting, go);

    /// <summary>What CRIU is told to run.</summary>
    public string ScriptPath { get; }

    /// <summary>Writes the script and makes the FIFOs.</summary>
    public static DumpHook Create(string workDirectory)
    {
        string script = Path.Combine(workDirectory, "dump-hook"), go = Path.Combine(workDirectory, GoWord), waiting = Path.Combine(workDirectory, "waiting");
        HookFifo.WriteScript(
            script,
            $"""
            #!/bin/sh
            if [ "$CRTOOLS_SCRIPT_ACTION" = post-dump ]; then printf {CompleteLetter} 1<>{HookFifo.Quote(waiting)}; exit 0; fi
            [ "$CRTOOLS_SCRIPT_ACTION" = pre-dump ] || exit 0
            {HookFifo.Await(go, waiting, WaitingLetter)} && [ "$word" = {GoWord} ]

            """);
        return new DumpHook(script, HookFifo.Make(waiting), HookFifo.Make(go));
    }

    /// <summary>Waits until CRIU waits; false when <see cref="GiveUp"/> came first.</summary>
    public Task<bool> WaitUntilThereAsync() => Task.Run(() => _waiting.ReadByte() == WaitingLetter);

    /// <summary>Wakes whoever waits: the dump has ended, or takes too long to begin.</summary>
    public void GiveUp() => _waiting.Write([OverByte]);

    /// <summary>Waits until the images are complete and the processes still seized; false when <see cref="GiveUpOnImages"/> came first.</summary>
    public Task<bool> WaitUntilCompleteAsync() => Task.Run(() =>
    {
        int letter;
        do letter = _waiting.ReadByte();
        while (letter is not (CompleteLetter or LostByte));
        return letter == CompleteLetter;
    });

    /// <summary>Wakes whoever waits: the dump has ended.</summary>
    public void GiveUpOnImages() => _waiting.Write([LostByte]);

    /// <summary>Lets CRIU go on, now or when it comes to that point.</summary>
    public void Go() => _go.Write(Encoding.ASCII.GetBytes(GoWord + "\n"));

    public void Dispose()
    {
        _go.Dispose();
        _waiting.Dispose();
    }
}
