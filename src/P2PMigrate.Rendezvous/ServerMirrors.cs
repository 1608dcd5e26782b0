using System.Net;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>The server's other sockets. Made and disposed by the server; the main loop sends through it.</summary>
internal sealed class ServerMirrors
{
    private readonly MirrorSocket? _port;
    private readonly MirrorSocket? _address;

    private ServerMirrors(MirrorSocket? port, MirrorSocket? address) => (_port, _address) = (port, address);

    /// <summary>Where they are, as clients are told.</summary>
    public ServerAlternates Alternates => new(_port?.Local.Port ?? 0, _address?.Local ?? default);

    /// <summary>Opens what <paramref name="wanted"/> names beside <paramref name="main"/>; all or, with a <see cref="Tunnel.TunnelException"/>, none.</summary>
    public static ServerMirrors Open(NetworkAddress main, RendezvousAlternates wanted, LoopClock clock, Func<IPEndPoint, IDatagramSocket> open)
    {
        MirrorSocket? port = wanted.OtherPort is { } number
            ? new MirrorSocket(open(new IPEndPoint(main.ToIPAddress(), number)), clock)
            : null;
        try
        {
            return new ServerMirrors(port, wanted.OtherAddress is { } address ? new MirrorSocket(open(address), clock) : null);
        }
        catch
        {
            port?.Stop();
            throw;
        }
    }

    /// <summary>From any thread: sends from one of them.</summary>
    public void Send(ServerSocket from, NetworkAddress destination, ReadOnlySpan<byte> datagram) =>
        (from == ServerSocket.OtherPort ? _port : _address)?.Send(destination, datagram);

    /// <summary>Ends them.</summary>
    public Task StopAsync()
    {
        _port?.Stop();
        _address?.Stop();
        return Task.WhenAll(_port?.Ended ?? Task.CompletedTask, _address?.Ended ?? Task.CompletedTask);
    }
}
