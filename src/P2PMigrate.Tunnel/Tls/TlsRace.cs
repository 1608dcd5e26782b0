using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using P2PMigrate.Tunnel.Endpoint;

namespace P2PMigrate.Tunnel.Tls;

/// <summary>
/// Connects to whichever of a server's addresses lets a TLS connection stand first: each has a head start before the next, or until
/// it has failed. All but the first are closed again.
/// </summary>
// spec: RLY-18
internal sealed class TlsRace(string host, CancellationToken stopped)
{
    /// <summary>How long one address may take until the connection stands.</summary>
    // spec: CONST-262
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    private readonly List<Task<Connection?>> _running = [];

    /// <summary>A connection that stands. Its stream owns the socket.</summary>
    public sealed record Connection(SslStream Stream, Socket Socket);

    /// <summary>The first connection, which is the caller's; null when there is none, or <paramref name="stopping"/> was earlier.</summary>
    public static async Task<Connection?> RunAsync(IReadOnlyList<EndPoint> targets, string host, CancellationToken stopping)
    {
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var race = new TlsRace(host, decided.Token);
        Connection? winner = await race.FindFirstAsync(targets).ConfigureAwait(false);
        await decided.CancelAsync().ConfigureAwait(false);
        await race.CloseRestAsync().ConfigureAwait(false);
        return winner;
    }

    private async Task<Connection?> FindFirstAsync(IReadOnlyList<EndPoint> targets)
    {
        int next = 0;
        while (!stopped.IsCancellationRequested && (next < targets.Count || _running.Count > 0))
        {
            if (next < targets.Count)
                _running.Add(TryConnectAsync(targets[next++]));
            if (await FindDoneAsync(next < targets.Count ? ServerAddresses.Patience : Timeout.InfiniteTimeSpan).ConfigureAwait(false) is { } winner)
                return winner;
        }

        return null;
    }

    // Null when time is up, and when one failed.
    private async Task<Connection?> FindDoneAsync(TimeSpan patience)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stopped);
        Task first = await Task.WhenAny([.. _running, Task.Delay(patience, done.Token)]).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        if (first is not Task<Connection?> attempt)
            return null;
        _running.Remove(attempt);
        return await attempt.ConfigureAwait(false);
    }

    private async Task CloseRestAsync()
    {
        foreach (Connection? loser in await Task.WhenAll(_running).ConfigureAwait(false))
        {
            if (loser is not null)
                await loser.Stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Never faults.
    private async Task<Connection?> TryConnectAsync(EndPoint target)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopped);
        patience.CancelAfter(s_patience);
        Socket? socket = null;
        SslStream? stream = null;
        try
        {
            socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(target, patience.Token).ConfigureAwait(false);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await stream.AuthenticateAsClientAsync(Options(host), patience.Token).ConfigureAwait(false);
            return new Connection(stream, socket);
        }
#pragma warning disable CA1031 // An address that does not work in whatever way must not take the others with it.
        catch (Exception)
#pragma warning restore CA1031
        {
            if (stream is not null)
                await stream.DisposeAsync().ConfigureAwait(false);
            socket?.Dispose();
            return null;
        }
    }

    // Any certificate will do. TLS is here to get through the network, not to be believed: what travels inside protects itself,
    // and whoever pretends to be the server can do what a server can, which is to drop and to delay. spec: RLY-10
    private static SslClientAuthenticationOptions Options(string host) => new()
    {
        TargetHost = host,
#pragma warning disable CA5359 // See above.
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
    };
}
