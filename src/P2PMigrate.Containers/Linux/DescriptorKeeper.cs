using System.Globalization;
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
    private const string OwnName = "/proc/thread-self/comm";
    private const nint ShareDescriptors = 0x400, ChildSignal = 17;
    private const string Name = "page-keeper"; // 15 bytes at most

    private static readonly nint s_clone = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 220 : 56;

    /// <summary>Starts it. Throws <see cref="IOException"/> where there is no room for another process.</summary>
    public static ProcessIdentity Start()
    {
        string name = File.ReadAllText(OwnName);
        File.WriteAllText(OwnName, Name); // the child has that of the thread that starts it
        _ = Wait(null, 0, 0); // in the child nothing can be looked up any more: other threads of ours, which may have been about to, are not there
        nint child = Clone(s_clone, ShareDescriptors | ChildSignal, 0, 0, 0, 0);
        while (child == 0) _ = Wait(null, 0, -1);
        File.WriteAllText(OwnName, name.TrimEnd('\n'));
        return child > 0 && ProcessIdentity.Of((int)child) is { } identity ? identity : throw new IOException("Cannot start a process that keeps descriptors.");
    }

    /// <summary>Is this process one? It has the memory of whoever started it, and its environment, but a name of its own.</summary>
    public static bool Is(ProcessIdentity process)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}/comm")).TrimEnd('\n') == Name;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Neither call tells the runtime that it is left: the child must not meet a collector that waits for threads which only its parent has.
    [LibraryImport("libc", EntryPoint = "syscall")]
    [SuppressGCTransition]
    private static partial nint Clone(nint number, nint flags, nint stack, nint parent, nint child, nint storage);

    [LibraryImport("libc", EntryPoint = "poll")]
    [SuppressGCTransition]
    private static partial int Wait(void* entries, nuint count, int milliseconds);
}
