using System.Runtime.InteropServices;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// A connection whose other end is closed, as a descriptor that programs inherit that we start while we hold it: whoever reads it reads its end at once, and nobody can
/// reach it.
/// </summary>
internal sealed class EndedConnection : IDisposable
{
    private const int UnixFamily = 1, StreamCloseOnExec = 1 | 0x80000;
    private const int Duplicate = 0;      // F_DUPFD, without close-on-exec
    private const int LowestDescriptor = 64; // clear of those that shells and runtimes use

    private int _descriptor;

    /// <summary>Opens it.</summary>
    public EndedConnection()
    {
        Span<int> pair = stackalloc int[2];
        if (Native.OpenSocketPair(UnixFamily, StreamCloseOnExec, 0, pair) != 0) throw Failure();
        Descriptor = _descriptor = Native.DescriptorControl(pair[0], Duplicate, LowestDescriptor);
        int error = Marshal.GetLastPInvokeError();
        foreach (int end in pair) _ = Native.Close(end);
        if (_descriptor >= 0) return;
        Marshal.SetLastPInvokeError(error);
        throw Failure();
    }

    /// <summary>Its number, here and in every program that has inherited it.</summary>
    public int Descriptor { get; }

    /// <summary>Closes ours only.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _descriptor, -1) is var open and >= 0) _ = Native.Close(open);
    }

    private static ContainerException Failure() => new($"Cannot open a socket for CRIU: {Marshal.GetLastPInvokeErrorMessage()}.");
}
