using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Tunnel.Turn;

/// <summary>Finds the address of a TURN server beside the loop, whose thread must not wait for a name, and begins.</summary>
internal static class TurnStart
{
    /// <summary>Completes, and never faults, when the server is asked or there is none to ask.</summary>
    public static async Task RunAsync(DatagramLoop loop, TurnLink link, TurnServer server, Func<NetworkAddress, bool> reaches)
    {
        string sentence = $"The name of the TURN server {server.Server} leads to no address that this machine reaches.";
        NetworkAddress address = default;
        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(server.Server.Host).ConfigureAwait(false);
            address = found.Select(each => NetworkAddress.From(each, server.Server.Port)).Where(reaches).OrderBy(each => each.Family).FirstOrDefault();
        }
        catch (SocketException error)
        {
            sentence = $"The name of the TURN server {server.Server} cannot be resolved: {error.Message}.";
        }

        try
        {
            await loop.CallAsync(now =>
            {
                if (address.IsNone)
                    link.Fail(sentence);
                else
                    link.Start(now, server, address);
                return true;
            }).ConfigureAwait(false);
        }
        catch (TunnelException)
        {
            // The endpoint is gone already.
        }
    }
}
