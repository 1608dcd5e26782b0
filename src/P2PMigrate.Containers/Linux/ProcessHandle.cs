using System.Runtime.InteropServices;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// A process that was there when this was opened. Numbers of processes are given again; as long as <see cref="IsSame"/>, this one's was not, so that whatever was asked
/// about the number since was asked about the process.
/// </summary>
// spec: MEM-14
internal sealed class ProcessHandle : IDisposable
{
    private const nint PidfdOpen = 434, PidfdSendSignal = 424; // the same numbers on every architecture
    private const int NoSuchProcess = 3;

    private readonly int _descriptor;

    private ProcessHandle(int pid, int descriptor) => (Pid, _descriptor) = (pid, descriptor);

    /// <summary>Its number.</summary>
    public int Pid { get; }

    /// <summary>Has it not been reaped yet? Then no other process can have got its number.</summary>
    public bool IsSame => NativeMemory.SystemCall(PidfdSendSignal, _descriptor, 0, 0, 0) >= 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    /// <summary>A handle to the process that has this number now, or null when none has.</summary>
    public static ProcessHandle? TryOpen(int pid)
    {
        var descriptor = (int)Native.SystemCall(PidfdOpen, pid, 0, 0);
        return descriptor < 0 ? null : new ProcessHandle(pid, descriptor);
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Native.Close(_descriptor);
}
