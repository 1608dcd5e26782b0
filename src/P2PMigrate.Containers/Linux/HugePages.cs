using System.Runtime.InteropServices;

namespace P2PMigrate.Containers.Linux;

/// <summary>Programs that are started while this is held get no transparent huge pages: a write to one page of theirs fills no neighbours with zeros. It holds for all threads of this process, and for all that those programs start.</summary>
internal sealed partial class HugePages : IDisposable
{
    private const int SetDisabled = 41; // PR_SET_THP_DISABLE

    private static readonly Lock s_lock = new();
    private static int s_holders;

    private HugePages() => Count(1);

    /// <summary>From now on, until it is disposed of.</summary>
    public static HugePages Without() => new();

    /// <inheritdoc/>
    public void Dispose() => Count(-1);

    private static void Count(int change)
    {
        lock (s_lock)
        {
            s_holders += change;
            if (s_holders == (change > 0 ? 1 : 0)) Disable(s_holders > 0);
        }
    }

    private static void Disable(bool disabled)
    {
        if (Control(SetDisabled, disabled ? 1 : 0, 0, 0, 0) != 0) throw new IOException($"Cannot switch transparent huge pages for a program: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nint argument, nint second, nint third, nint fourth);
}
