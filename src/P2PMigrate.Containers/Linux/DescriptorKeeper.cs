using System.Runtime.InteropServices;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// A process that shares this one's table of descriptors, and does nothing. As long as it is there, no descriptor that we have or get is closed by our being killed: there is no moment at which one is only
/// ours. It outlives us, and is ended by its number.
/// </summary>
// spec: MEM-41
internal static unsafe partial class DescriptorKeeper
{
    private const nint ShareDescriptors = 0x400, ChildSignal = 17;

    private static readonly nint s_clone = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 220 : 56;

    /// <summary>Starts it.</summary>
    public static ProcessIdentity Start()
    {
        _ = Wait(null, 0, 0); // in the child nothing can be looked up any more: other threads of ours, which may have been about to, are not there
        nint child = Clone(s_clone, ShareDescriptors | ChildSignal, 0, 0, 0, 0);
        while (child == 0) _ = Wait(null, 0, -1);
        return child > 0 && ProcessIdentity.Of((int)child) is { } identity
            ? identity
            : throw new IOException($"Cannot start a process that keeps descriptors: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    // Neither call tells the runtime that it is left: the child must not meet a collector that waits for threads which only its parent has.
    [LibraryImport("libc", EntryPoint = "syscall")]
    [SuppressGCTransition]
    private static partial nint Clone(nint number, nint flags, nint stack, nint parent, nint child, nint storage);

    [LibraryImport("libc", EntryPoint = "poll")]
    [SuppressGCTransition]
    private static partial int Wait(void* entries, nuint count, int milliseconds);
}
