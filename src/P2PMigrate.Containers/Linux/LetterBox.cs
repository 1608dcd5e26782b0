using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Short letters between processes of ours that know the same directory: whoever has a name there gets what is sent to it. Nobody ever waits for anybody: a letter that finds no room, or nobody, is lost, and whoever sent it is
/// told. A name belongs to the box that took it last, and stays when that ends. However long the directory's path is, names are found from there. Any thread.
/// </summary>
/// <typeparam name="T">A letter, without references.</typeparam>
internal sealed class LetterBox<T> : IDisposable
    where T : unmanaged
{
    private const int UnixFamily = 1, DatagramCloseOnExec = 2 | 0x80000;
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;
    private const int DoNotWait = 0x40, NoSignal = 0x4000;
    private const int Interrupted = 4;

    private static int s_drafts;

    private readonly string _directory;
    private readonly SafeFileHandle _place;
    private readonly Socket _socket; // .NET has not bound it, and so does not remove the name

    /// <summary>Without a name: it can send. Throws <see cref="IOException"/> when there can be none.</summary>
    public LetterBox(string directory)
    {
        _directory = directory;
        _place = new SafeFileHandle(Native.Open(directory, PathOnly | CloseOnExec, 0), ownsHandle: true);
        int socket = _place.IsInvalid ? -1 : Native.OpenSocket(UnixFamily, DatagramCloseOnExec, 0);
        if (socket < 0)
        {
            string reason = Marshal.GetLastPInvokeErrorMessage();
            _place.Dispose();
            throw new IOException($"Cannot open a socket in {directory}: {reason}.");
        }

        _socket = new Socket(new SafeSocketHandle(socket, ownsHandle: true));
    }

    /// <summary>Takes the name at once.</summary>
    public LetterBox(string directory, string name)
        : this(directory)
    {
        try
        {
            TakeName(name);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Has something to read when a letter is there. Belongs to this.</summary>
    public int Descriptor => (int)_socket.Handle;

    /// <summary>Takes the name, once, from whoever has it: from one moment to the next, so that there is no letter in between that finds nobody. Throws <see cref="IOException"/> when it cannot be had.</summary>
    public void TakeName(string name)
    {
        string draft = string.Create(CultureInfo.InvariantCulture, $"{name}.{Environment.ProcessId}-{Interlocked.Increment(ref s_drafts)}");
        File.Delete(Path.Combine(_directory, draft)); // of a process that had our number
        byte[] address = AddressOf(draft);
        if (LetterCalls.Bind(_socket.SafeHandle, address, address.Length) != 0)
            throw new IOException($"Cannot open a socket in {_directory}: {Marshal.GetLastPInvokeErrorMessage()}.");
        File.Move(Path.Combine(_directory, draft), Path.Combine(_directory, name), overwrite: true);
    }

    /// <summary>Sends a letter to who has the name; false when it is lost.</summary>
    public bool TrySend(string name, in T letter)
    {
        byte[] address = AddressOf(name);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in letter));
        return LetterCalls.Send(_socket.SafeHandle, bytes, bytes.Length, DoNotWait | NoSignal, address, address.Length) == bytes.Length;
    }

    /// <summary>Takes a letter out, if one is there.</summary>
    public unsafe bool TryTake(out T letter)
    {
        fixed (T* room = &letter)
        {
            while (true)
            {
                nint read = LetterCalls.Receive(_socket.SafeHandle, room, sizeof(T), DoNotWait);
                if (read == sizeof(T)) return true;
                if (read < 0 && Marshal.GetLastPInvokeError() != Interrupted) return false;
            }
        }
    }

    /// <summary>Waits until there may be one. Throws when this is disposed of meanwhile.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) =>
        await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.Peek, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _place.Dispose();
    }

    private byte[] AddressOf(string name) => [UnixFamily, 0, .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_place.DangerousGetHandle()}/{name}")), 0];
}

/// <summary>The calls that a generic type cannot import.</summary>
internal static unsafe partial class LetterCalls
{
    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(SafeHandle socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    public static partial nint Send(SafeHandle socket, ReadOnlySpan<byte> bytes, nint length, int flags, ReadOnlySpan<byte> address, int addressLength);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(SafeHandle socket, void* buffer, nint length, int flags);
}
