using System.Runtime.InteropServices;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>A FIFO between us and a script that CRIU runs. Whoever waits at its other end reads the end of file when we close it or die.</summary>
internal static class HookFifo
{
    private const uint OwnerOnly = 0x180; // 0600
    private const uint OwnerRuns = 0x1C0; // 0700

    /// <summary>Makes it anew and opens it for both, which does not wait for the other end.</summary>
    public static FileStream Make(string path)
    {
        File.Delete(path);
        if (Native.MakeFifo(path, OwnerOnly) != 0) throw new ContainerException($"Cannot make the FIFO {path}: {Marshal.GetLastPInvokeErrorMessage()}.");
        return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
    }

    /// <summary>Writes a script that CRIU can run.</summary>
    public static void WriteScript(string path, string text)
    {
        File.WriteAllText(path, text);
        if (Native.ChangeMode(path, OwnerRuns) != 0) throw new ContainerException($"Cannot make {path} executable.");
    }

    /// <summary>A path as a word of the shell.</summary>
    public static string Quote(string path) => $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>
    /// Shell words that wait for a line in <c>$word</c>. Opening a FIFO for reading would wait for a writer, for ever if we are dead. Opened for both it does not
    /// wait, and once a reading descriptor exists the writing one is closed again: then no writer but us is left.
    /// </summary>
    public static string Await(string fifo, string announcementFifo, char announcement) =>
        $"exec 3<>{Quote(fifo)} 4<{Quote(fifo)} 3>&- 5<>{Quote(announcementFifo)}; printf {announcement} >&5; read -r word <&4";
}
