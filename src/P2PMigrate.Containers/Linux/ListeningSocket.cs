using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// A unix socket that listens under a name in a directory, as a descriptor that a program inherits which we start while we hold it. Who connects waits for that program, also when it has not begun yet. However
/// long the directory's path is, the name is found from there. The name stays: a socket of .NET would remove it with our descriptor.
/// </summary>
internal sealed partial class ListeningSocket : IDisposable
{
    private const int UnixFamily = 1, StreamCloseOnExec = 1 | 0x80000;
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;
    private const int Duplicate = 0; // F_DUPFD, without close-on-exec
    private const int LowestDescriptor = 64; // clear of those that shells and runtimes use

    /// <summary>Listens; whatever had the name before is gone.</summary>
    public ListeningSocket(string directory, string name)
    {
        File.Delete(Path.Combine(directory, name));
        int place = Native.Open(directory, PathOnly | CloseOnExec, 0), socket = Native.OpenSocket(UnixFamily, StreamCloseOnExec, 0);
        byte[] address = [UnixFamily, 0, .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{place}/{name}")), 0];
        bool listens = place >= 0 && socket >= 0 && Bind(socket, address, address.Length) == 0 && Listen(socket, 1) == 0;
        Descriptor = listens ? Native.DescriptorControl(socket, Duplicate, LowestDescriptor) : -1;
        int error = Marshal.GetLastPInvokeError();
        _ = Native.Close(place);
        _ = Native.Close(socket);
        if (Descriptor < 0) throw new ContainerException($"Cannot open a socket for CRIU in {directory}: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    /// <summary>Its number, here and in every program that has inherited it.</summary>
    public int Descriptor { get; }

    /// <summary>Closes ours only.</summary>
    public void Dispose() => _ = Native.Close(Descriptor);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int Listen(int socket, int waiting);
}
