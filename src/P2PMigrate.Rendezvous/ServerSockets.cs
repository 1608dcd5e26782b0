using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2PMigrate.Rendezvous.Tls;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>
/// All that a server listens on, bound, before anything serves it. Owns what is open so far, so that a start that fails leaves every port free at
/// once; not to be disposed any more when the server's threads have taken the sockets over.
/// </summary>
internal sealed class ServerSockets : IDisposable
{
    private ServerSockets(IDatagramSocket main) => Main = new SocketWithStreams(main);

    /// <summary>The socket that is served, with the connections that come by TLS.</summary>
    public SocketWithStreams Main { get; }

    /// <summary>The second port, if it is wanted and, where it may be lacking, free.</summary>
    public IDatagramSocket? OtherPort { get; private set; }

    /// <summary>The second address, if it is wanted.</summary>
    public IDatagramSocket? OtherAddress { get; private set; }

    /// <summary>The TCP socket for TLS, listening, if it is wanted.</summary>
    public Socket? Tls { get; private set; }

    /// <summary>Opens what <paramref name="wanted"/> names beside <paramref name="main"/>; with a <see cref="TunnelException"/> nothing is open, nor is <paramref name="main"/>.</summary>
    public static ServerSockets Open(IDatagramSocket main, RendezvousAlternates wanted, Func<IPEndPoint, IDatagramSocket> open, ILogger logger)
    {
        var sockets = new ServerSockets(main);
        try
        {
            sockets.OpenOthers(wanted, open, logger);
            return sockets;
        }
        catch
        {
            sockets.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tls?.Dispose();
        OtherAddress?.Dispose();
        OtherPort?.Dispose();
        Main.Dispose();
    }

    private void OpenOthers(RendezvousAlternates wanted, Func<IPEndPoint, IDatagramSocket> open, ILogger logger)
    {
        if (wanted.OtherPort is { } port)
            OtherPort = OpenOtherPort(new IPEndPoint(Main.Local.ToIPAddress(), port), wanted.MayLackOtherPort, open, logger);
        if (wanted.OtherAddress is { } address)
            OtherAddress = open(address);
        if (wanted.Tls is { } tls)
            Tls = TlsListener.Bind(tls.Listen);
    }

    private static IDatagramSocket? OpenOtherPort(IPEndPoint listen, bool mayLack, Func<IPEndPoint, IDatagramSocket> open, ILogger logger)
    {
        try
        {
            return open(listen);
        }
        catch (TunnelException taken) when (mayLack)
        {
            Log.NoOtherPort(logger, taken.Message);
            return null;
        }
    }
}
