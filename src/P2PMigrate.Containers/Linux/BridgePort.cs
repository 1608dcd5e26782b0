using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Puts a link on a bridge of the kernel's and takes it off, in microseconds and without another program: a container's clients wait meanwhile.
/// Where it says false (another kind of bridge, a kernel without the old calls), <c>ip</c> does it.
/// </summary>
internal static class BridgePort
{
    private const string LinkRoot = "/sys/class/net";
    private const nuint AddInterface = 0x89a2;    // SIOCBRADDIF
    private const nuint RemoveInterface = 0x89a3; // SIOCBRDELIF
    private const nuint GetFlags = 0x8913;        // SIOCGIFFLAGS
    private const nuint SetFlags = 0x8914;        // SIOCSIFFLAGS
    private const short UpFlag = 1;
    private const int NameLength = 16;
    private const int RequestLength = 40;         // struct ifreq

    /// <summary>Off the bridge, and down unless <paramref name="staysUp"/>. <paramref name="alias"/> is written first: who finds the link off knows where it belongs.</summary>
    public static bool TryDetach(BridgeLink link, string alias, bool staysUp) =>
        TryWithSocket(socket => TrySetAlias(link, alias) && TryJoin(socket, link, RemoveInterface) && TrySetUp(socket, link.Name, isUp: staysUp));

    /// <summary>Takes a link down, if it is still the one that was found. Nothing of what its other end sends is seen by anybody then, nor by this machine.</summary>
    public static bool TryTakeDown(BridgeLink link) =>
        Read(link.Name, "ifindex") == link.Index.ToString(System.Globalization.CultureInfo.InvariantCulture) && TryWithSocket(socket => TrySetUp(socket, link.Name, isUp: false));

    /// <summary>On the bridge and up, its alias gone. A link that is on it already stays so.</summary>
    public static bool TryAttach(BridgeLink link) =>
        TryWithSocket(socket => (IsOn(link) || TryJoin(socket, link, AddInterface)) && TrySetUp(socket, link.Name, isUp: true) && TrySetAlias(link, "\n"));

    private static bool IsOn(BridgeLink link) => new DirectoryInfo($"{LinkRoot}/{link.Name}/master").LinkTarget is { } master && Path.GetFileName(master) == link.Bridge;

    private static bool TryJoin(int socket, BridgeLink link, nuint request)
    {
        if (!int.TryParse(Read(link.Name, "ifindex"), out int index)) return false;
        Span<byte> bytes = stackalloc byte[RequestLength];
        return TryName(bytes, link.Bridge) && Call(socket, request, bytes, index);
    }

    private static bool TrySetUp(int socket, string name, bool isUp)
    {
        Span<byte> bytes = stackalloc byte[RequestLength];
        if (!TryName(bytes, name) || Native.InterfaceControl(socket, GetFlags, ref MemoryMarshal.GetReference(bytes)) != 0) return false;
        short flags = BinaryPrimitives.ReadInt16LittleEndian(bytes[NameLength..]);
        BinaryPrimitives.WriteInt16LittleEndian(bytes[NameLength..], (short)(isUp ? flags | UpFlag : flags & ~UpFlag));
        return Native.InterfaceControl(socket, SetFlags, ref MemoryMarshal.GetReference(bytes)) == 0;
    }

    private static bool Call(int socket, nuint request, Span<byte> bytes, int index)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes[NameLength..], index);
        return Native.InterfaceControl(socket, request, ref MemoryMarshal.GetReference(bytes)) == 0;
    }

    private static bool TryName(Span<byte> request, string name)
    {
        if (Encoding.UTF8.GetByteCount(name) >= NameLength) return false;
        Encoding.UTF8.GetBytes(name, request);
        return true;
    }

    private static bool TrySetAlias(BridgeLink link, string alias)
    {
        try
        {
            File.WriteAllText($"{LinkRoot}/{link.Name}/ifalias", alias);
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Read(string name, string file)
    {
        try
        {
            return File.ReadAllText($"{LinkRoot}/{name}/{file}").Trim();
        }
        catch (IOException)
        {
            return ""; // a link that just went away
        }
    }

    private static bool TryWithSocket(Func<int, bool> act)
    {
        const int inet = 2, datagram = 2, closeOnExec = 0x80000;
        int socket = Native.OpenSocket(inet, datagram | closeOnExec, 0);
        if (socket < 0) return false;
        try
        {
            return act(socket);
        }
        finally
        {
            _ = Native.Close(socket);
        }
    }
}
