using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Rendezvous;

/// <summary>The server's other sockets, as far as it has them. Made, started and ended by the server; the main loop sends through it.</summary>
internal sealed class ServerMirrors(ServerSockets sockets, LoopClock clock, ILogger logger)
{
    private readonly MirrorSocket? _port = sockets.OtherPort is { } socket ? new MirrorSocket(socket, clock, logger) : null;
    private readonly MirrorSocket? _address = sockets.OtherAddress is { } socket ? new MirrorSocket(socket, clock, logger) : null;

    /// <summary>Where they are, as clients are told.</summary>
    public ServerAlternates Alternates => new(_port?.Local.Port ?? 0, _address?.Local ?? default);

    /// <summary>Takes the sockets over and serves them. Once.</summary>
    public void Start()
    {
        _port?.Start();
        _address?.Start();
    }

    /// <summary>From any thread: sends from one of them.</summary>
    public void Send(ServerSocket from, NetworkAddress destination, ReadOnlySpan<byte> datagram) =>
        (from == ServerSocket.OtherPort ? _port : _address)?.Send(destination, datagram);

    /// <summary>Ends them, when they have been started.</summary>
    public Task StopAsync()
    {
        _port?.Stop();
        _address?.Stop();
        return Task.WhenAll(_port?.Ended ?? Task.CompletedTask, _address?.Ended ?? Task.CompletedTask);
    }
}
