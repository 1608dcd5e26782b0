using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// From where else a rendezvous server sees its clients, so that they learn what their NATs do. The default value is a server
/// with one socket.
/// </summary>
/// <param name="OtherPort">A second port at the address where the client asked; 0 for none.</param>
/// <param name="OtherAddress">A second address with its port; none when there is none.</param>
// spec: RDV-20
public readonly record struct ServerAlternates(ushort OtherPort, NetworkAddress OtherAddress)
{
    /// <summary>Has the server one socket only?</summary>
    public bool IsNone => OtherPort == 0 && OtherAddress.IsNone;

    /// <summary>
    /// What of it a client of <paramref name="server"/> may send to. A second address must be of the same kind as the first, of the same internet
    /// protocol and just as public: a server on the internet must not make its clients knock in their own networks.
    /// </summary>
    // spec: RDV-21
    public ServerAlternates CredibleAt(NetworkAddress server)
    {
        bool isCredible = OtherAddress.IsUsable && OtherAddress.Family == server.Family && !OtherAddress.HasSameHost(server)
            && ExternalReaches.Of(OtherAddress) == ExternalReaches.Of(server);
        return new(OtherPort == server.Port ? (ushort)0 : OtherPort, isCredible ? OtherAddress : default);
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; nothing at all means none.</summary>
    internal static bool TryDecode(ref WireReader reader, out ServerAlternates alternates)
    {
        alternates = default;
        if (reader.IsAtEnd)
            return true;
        if (!reader.TryReadUInt16(out ushort port) || !OptionalAddress.TryDecode(ref reader, out NetworkAddress address))
            return false;
        alternates = new(port, address);
        return true;
    }

    /// <summary>Writes port and address, or nothing.</summary>
    internal void Encode(ref WireWriter writer)
    {
        if (IsNone)
            return;
        writer.WriteUInt16(OtherPort);
        OptionalAddress.Encode(ref writer, OtherAddress);
    }
}

/// <summary>One of the sockets of a rendezvous server; the values are those on the wire.</summary>
public enum ServerSocket : byte
{
    /// <summary>The one where clients ask.</summary>
    Main = 0,

    /// <summary>The one at the second port.</summary>
    OtherPort = 1,

    /// <summary>The one at the second address.</summary>
    OtherAddress = 2,
}
