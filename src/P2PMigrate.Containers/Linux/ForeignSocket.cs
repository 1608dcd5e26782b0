using System.Globalization;
using System.Net.Sockets;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// A socket that another process of ours holds. CRIU keeps its page connection corked to the end and then waits for an answer to a
/// message that the kernel still keeps back, for a fifth of a second, with the container frozen. An option set through
/// another descriptor of the same socket ends that.
/// </summary>
internal static class ForeignSocket
{
    private const int CorkOption = 3; // TCP_CORK
    private const nint PidfdOpen = 434; // the same numbers on every architecture
    private const nint PidfdGetFd = 438;

    /// <summary>
    /// From now on the socket sends what it is given at once. False when none of <paramref name="holders"/> holds it, or the kernel does not let us:
    /// then everything works as before, later.
    /// </summary>
    public static bool TryUncork(ulong inode, IEnumerable<int> holders)
    {
        foreach (int pid in holders)
        {
            if (DescriptorOf(pid, inode) is { } descriptor && TryTake(pid, descriptor) is { } socket)
            {
                using (socket) return TryUncork(socket);
            }
        }

        return false;
    }

    private static bool TryUncork(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, CorkOption, BitConverter.GetBytes(0));
            return true;
        }
        catch (SocketException)
        {
            return false; // it was closed meanwhile
        }
    }

    private static int? DescriptorOf(int pid, ulong inode)
    {
        string wanted = string.Create(CultureInfo.InvariantCulture, $"socket:[{inode}]");
        try
        {
            string? link = Directory.EnumerateFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd"))
                .FirstOrDefault(entry => new FileInfo(entry).LinkTarget == wanted);
            return link is null ? null : int.Parse(Path.GetFileName(link), CultureInfo.InvariantCulture);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Socket? TryTake(int pid, int descriptor)
    {
        var process = (int)Native.SystemCall(PidfdOpen, pid, 0, 0);
        if (process < 0) return null;
        var taken = (int)Native.SystemCall(PidfdGetFd, process, descriptor, 0);
        _ = Native.Close(process);
        return taken < 0 ? null : new Socket(new SafeSocketHandle(taken, ownsHandle: true));
    }
}
