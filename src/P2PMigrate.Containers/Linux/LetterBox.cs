using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Short letters between processes of ours that know the same directory: whoever has a name there gets what is sent to it. Nobody ever waits for anybody: a letter that finds no room, or nobody, is lost, and whoever sent it is
/// told. A name belongs to the process that took it last. However long the directory's path is, names are found from there.
/// </summary>
/// <typeparam name="T">A letter, without references.</typeparam>
internal sealed unsafe class LetterBox<T> : IDisposable
    where T : unmanaged
{
    private const int UnixFamily = 1, DatagramCloseOnExec = 2 | 0x80000;
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;
    private const int DoNotWait = 0x40, NoSignal = 0x4000;
    private const int Interrupted = 4;

    private readonly int _place;

    /// <summary>Takes the name.</summary>
    public LetterBox(string directory, string name)
    {
        File.Delete(Path.Combine(directory, name));
        _place = Native.Open(directory, PathOnly | CloseOnExec, 0);
        Descriptor = Native.OpenSocket(UnixFamily, DatagramCloseOnExec, 0);
        byte[] address = AddressOf(name);
        if (_place >= 0 && Descriptor >= 0 && LetterCalls.Bind(Descriptor, address, address.Length) == 0) return;
        string reason = Marshal.GetLastPInvokeErrorMessage();
        Dispose();
        throw new IOException($"Cannot open a socket in {directory}: {reason}.");
    }

    /// <summary>Has something to read when a letter is there. Belongs to this.</summary>
    public int Descriptor { get; }

    /// <summary>Sends a letter to who has the name; false when it is lost.</summary>
    public bool TrySend(string name, in T letter)
    {
        byte[] address = AddressOf(name);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in letter));
        return Native.SendTo(Descriptor, bytes, bytes.Length, DoNotWait | NoSignal, address, address.Length) == bytes.Length;
    }

    /// <summary>Takes a letter out, if one is there.</summary>
    public bool TryTake(out T letter)
    {
        fixed (T* room = &letter)
        {
            while (true)
            {
                nint read = LetterCalls.Receive(Descriptor, room, sizeof(T), DoNotWait);
                if (read == sizeof(T)) return true;
                if (read < 0 && Marshal.GetLastPInvokeError() != Interrupted) return false;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_place >= 0) _ = Native.Close(_place);
        if (Descriptor >= 0) _ = Native.Close(Descriptor);
    }

    private byte[] AddressOf(string name) => [UnixFamily, 0, .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_place}/{name}")), 0];
}

/// <summary>The calls that a generic type cannot import.</summary>
internal static unsafe partial class LetterCalls
{
    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int socket, void* buffer, nint length, int flags);
}
