using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Gateway;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Network;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Tls;
using P2PMigrate.Tunnel.Turn;

namespace P2PMigrate.Tunnel;

/// <summary>
/// A peer on the network: one UDP socket and one thread behind which sessions live. It issues tickets and accepts those
/// who hold one, and dials the issuers of others' tickets. To anybody else it says nothing. Any thread may use it.
/// </summary>
public sealed class TunnelEndpoint : IAsyncDisposable
{
    /// <summary>How long disposal waits for the sessions' goodbyes.</summary>
    // spec: CONST-57
    public static readonly TimeSpan DisposePatience = TimeSpan.FromSeconds(2);

    private readonly TunnelOptions _options;
    private readonly DatagramLoop _loop;
    private readonly EndpointDriver _driver;
    private readonly LoopClock _clock;
    private readonly INetworkWatch? _watch;
    private readonly IPortMapper? _portMapper;
    private readonly TlsDialer? _dialer;
    private RefusalWatch? _refusals;
    private int _isDisposed;

    private TunnelEndpoint(
        TunnelOptions options, DatagramLoop loop, EndpointDriver driver, LoopClock clock, INetworkWatch? watch, IPortMapper? portMapper, TlsDialer? dialer)
    {
        _watch = watch;
        _portMapper = portMapper;
        _dialer = dialer;
        _options = options;
        _loop = loop;
        _driver = driver;
        _clock = clock;
    }

    /// <summary>Where the socket is bound; the port is the real one.</summary>
    public IPEndPoint LocalEndPoint => _loop.Local.ToEndPoint();

    /// <summary>This peer's name.</summary>
    public PeerId PeerId => _options.Identity.PeerId;

    /// <summary>
    /// Opens the socket, starts the thread, begins to register. Throws <see cref="TunnelException"/>: the address cannot be
    /// bound (<see cref="TunnelFailure.Local"/>), the server's name not resolved (<see cref="TunnelFailure.RendezvousUnreachable"/>).
    /// </summary>
    public static async ValueTask<TunnelEndpoint> OpenAsync(TunnelOptions options, CancellationToken cancellationToken = default)
    {
        ServerAddresses? server = options.Rendezvous is { } name ? await ResolveAsync(name, cancellationToken).ConfigureAwait(false) : null;
        INetworkWatch? watch = NetworkWatch.TryOpen();
        IDatagramSocket socket;
        try
        {
            socket = DatagramSocket.Open(options.Listen);
        }
        catch
        {
            watch?.Dispose();
            throw;
        }

        IPortMapper? mapper = options is { MapPortOnGateway: true, AllowDirectPaths: true }
            ? new GatewayPortMapper(new GatewayPortMapperOptions { Local = socket.Local, Time = options.Time, Logger = options.Logger })
            : null;
        TunnelEndpoint endpoint = Open(options, socket, server, watch, mapper);
        endpoint.WatchRefusals();
        return endpoint;
    }

    /// <summary>Completes when others can find this peer at the rendezvous server; throws <see cref="TunnelException"/> when it stays silent.</summary>
    public Task WaitRegisteredAsync(CancellationToken cancellationToken = default) =>
        _options.Rendezvous is null ? Task.CompletedTask : _driver.Meeting.Registered.WaitAsync(cancellationToken);

    /// <summary>
    /// What the first whole survey finds out about the NATs before this endpoint, with the help of the rendezvous server of the options. It is made
    /// without being asked for, and again whenever something changed; peers are told. Throws <see cref="TunnelException"/>: there
    /// is no server, direct paths are not allowed, or the endpoint was disposed. A server that stays silent is waited for.
    /// </summary>
    // spec: PATH-65
    public Task<NatReport> WaitNatAsync(CancellationToken cancellationToken = default) =>
        _options is { Rendezvous: not null, AllowDirectPaths: true }
            ? _driver.Nat.Completed.WaitAsync(cancellationToken)
            : throw new TunnelException(TunnelFailure.Local, "NATs can be surveyed only with a rendezvous server, and if direct paths are allowed.");

    /// <summary>The addresses outside that gateways map to this endpoint now: <see cref="TunnelOptions.MapPortOnGateway"/>.</summary>
    public async ValueTask<IReadOnlyList<IPEndPoint>> GetMappedAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await _loop.CallAsync(_ => _driver.Mapped).ConfigureAwait(false);
    }

    /// <summary>A ticket that admits one migration until it is older than <paramref name="lifetime"/>.</summary>
    public async ValueTask<Ticket> IssueTicketAsync(TimeSpan lifetime, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long expiry = _clock.Utc.Add(lifetime).ToUnixTimeSeconds();
        return await _loop.CallAsync(now => _driver.IssueTicket(now, expiry)).ConfigureAwait(false);
    }

    /// <summary>Uses a ticket of ours up: true for exactly one caller, while it is open. Whoever gets true goes on with the migration.</summary>
    public async ValueTask<bool> SpendTicketAsync(TicketId ticket, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await _loop.CallAsync(_ => _driver.Tickets.TrySpend(ticket, _clock.Utc.ToUnixTimeSeconds())).ConfigureAwait(false);
    }

    /// <summary>The tickets that this peer remembers, spent ones included: to be kept with the identity and restored after a restart.</summary>
    public async ValueTask<IReadOnlyCollection<TicketRecord>> GetTicketsAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await _loop.CallAsync(_ => _driver.Tickets.Records.ToArray()).ConfigureAwait(false);
    }

    /// <summary>Takes back what <see cref="GetTicketsAsync"/> gave before a restart.</summary>
    public async ValueTask RestoreTicketsAsync(IReadOnlyCollection<TicketRecord> tickets, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _loop.CallAsync(_ => _driver.RestoreTickets(tickets)).ConfigureAwait(false);
    }

    /// <summary>
    /// Reaches the issuer of <paramref name="ticket"/>. Returns as soon as data can flow, over the relay at first if need be;
    /// the session finds its direct path by itself. Throws <see cref="TunnelException"/> with the reason.
    /// </summary>
    public async ValueTask<TunnelSession> DialAsync(Ticket ticket, CancellationToken cancellationToken = default)
    {
        DialTarget target = await ResolveAsync(ticket, cancellationToken).ConfigureAwait(false);
        if (_driver.Turn is { FirstWord: { IsCompleted: false } word })
            await Task.WhenAny(word, Task.Delay(TurnLink.DialPatience, _options.Time, cancellationToken)).ConfigureAwait(false); // spec: TURN-09
        Dial dial = await _loop.CallAsync(now => _driver.BeginDial(now, target)).ConfigureAwait(false);
        using CancellationTokenRegistration registration = cancellationToken.Register(dial.Cancel);
        return await dial.Result.ConfigureAwait(false);
    }

    /// <summary>
    /// Lets <paramref name="peer"/> dial this endpoint without a ticket, by <see cref="DialAsync(PublicIdentity, ServerName?, IReadOnlyList{IPEndPoint}?, CancellationToken)"/>,
    /// until <see cref="DismissAsync"/>. Not kept across a restart. Throws <see cref="TunnelException"/> (<see cref="TunnelFailure.Local"/>) when
    /// <see cref="TicketBook.MaxAdmitted"/> peers are admitted already.
    /// </summary>
    // spec: ID-17
    public async ValueTask AdmitAsync(PublicIdentity peer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!await _loop.CallAsync(_ => _driver.Tickets.TryAdmit(_options.Identity, peer)).ConfigureAwait(false))
            throw new TunnelException(TunnelFailure.Local, $"The peer {peer.PeerId.ToShortString()} cannot be admitted: {TicketBook.MaxAdmitted} others are, or its key is worthless.");
    }

    /// <summary>Ends what <see cref="AdmitAsync"/> began; sessions that are open go on.</summary>
    public async ValueTask DismissAsync(PeerId peer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _loop.CallAsync(_ =>
        {
            _driver.Tickets.Dismiss(peer);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Reaches a peer that has admitted this one, by its public key: at <paramref name="rendezvous"/> (null: the server of this endpoint's options) and at
    /// <paramref name="addresses"/>, if any are known. Otherwise like the dial by ticket; a peer that has not admitted this one keeps silence.
    /// </summary>
    // spec: ID-17
    public ValueTask<TunnelSession> DialAsync(
        PublicIdentity peer, ServerName? rendezvous = null, IReadOnlyList<IPEndPoint>? addresses = null, CancellationToken cancellationToken = default)
    {
        NetworkAddress[] hints = [.. (addresses ?? []).Take(Ticket.MaxHints).Select(NetworkAddress.From)];
        return Ticket.Standing(_options.Identity, peer, rendezvous ?? _options.Rendezvous, hints) is { } ticket
            ? DialAsync(ticket, cancellationToken)
            : throw new TunnelException(TunnelFailure.Local, $"The public key of {peer.PeerId.ToShortString()} is worthless: nobody can hold its private half.");
    }

    /// <summary>
    /// The next session of a peer that holds an open ticket of ours and is there now. Throws
    /// <see cref="TunnelException"/> (<see cref="TunnelFailure.Closed"/>) after disposal.
    /// </summary>
    public async ValueTask<TunnelSession> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _driver.Answering.Proven.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed) when (closed.InnerException is TunnelException reason)
        {
            throw new TunnelException(reason.Reason, reason.Message, reason);
        }
    }

    /// <summary>Closes all sessions politely, but not for long, then the socket and the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Task released = _portMapper?.DisposeAsync().AsTask() ?? Task.CompletedTask;
            await CloseSessionsAsync().ConfigureAwait(false);
            await ReleaseTurnAsync().ConfigureAwait(false);
            await released.ConfigureAwait(false);
            _watch?.Dispose();
            _refusals?.Dispose();
            _dialer?.Dispose();
            _loop.Stop();
        }

        await _loop.Ended.ConfigureAwait(false);
    }

    /// <summary>
    /// The same over any socket; <paramref name="server"/> is where to register, <paramref name="watch"/> sees that socket's network,
    /// <paramref name="portMapper"/> maps its port on gateways; both are the endpoint's from now on. <paramref name="bind"/> makes further sockets in that network.
    /// </summary>
    internal static TunnelEndpoint Open(
        TunnelOptions options, IDatagramSocket socket, ServerAddresses? server, INetworkWatch? watch = null, IPortMapper? portMapper = null,
        Func<IPEndPoint, Socket>? bind = null)
    {
        var clock = new LoopClock(options.Time);
        var sockets = new SocketWithStreams(socket);
        var loop = new DatagramLoop(sockets, clock);
        TlsDialer? dialer = options.RendezvousTlsPort is { } port ? new TlsDialer(sockets, loop, port) : null;
        var driver = new EndpointDriver(options, loop, sockets, clock, bind, dialer);
        if (server is not null)
            driver.Register(clock.Now, server);
        watch?.Start(driver.NetworkChanges.Note);
        driver.Prepare(clock.Now, isWatched: watch is not null);
        loop.Start(driver, $"tunnel:{socket.Local.Port}");
        Log.Listening(options.Logger, socket.Local);
        if (options.Turn is { } turn)
            _ = TurnStart.RunAsync(loop, driver.Turn!, turn, sockets.Reaches);
        // After the end of the loop nobody wants to know any more, and the call's fault is nobody's either.
        portMapper?.Start(mapped => _ = loop.CallAsync(_ => driver.ReplaceMapped(mapped)).ContinueWith(call => call.Exception, TaskScheduler.Default));
        return new TunnelEndpoint(options, loop, driver, clock, watch, portMapper, dialer);
    }

    // spec: MIG-121
    private void WatchRefusals()
    {
        _refusals = RefusalWatch.TryOpen();
        _refusals?.Start(_loop.Local.Port, remote => _loop.CallAsync(now => _driver.HandleRefusal(now, remote)));
    }

    // spec: TURN-03
    private async Task ReleaseTurnAsync()
    {
        if (_driver.Turn is not { } turn)
            return;
        try
        {
            Task released = await _loop.CallAsync(turn.Release).ConfigureAwait(false);
            await released.WaitAsync(TurnLink.ReleasePatience).ConfigureAwait(false);
        }
        catch (Exception impatience) when (impatience is TimeoutException or TunnelException)
        {
            // The server forgets the allocation by itself after some minutes.
        }
    }

    private async Task CloseSessionsAsync()
    {
        try
        {
            Task goodbyes = await _loop.CallAsync(_driver.CloseAll).ConfigureAwait(false);
            await goodbyes.WaitAsync(DisposePatience).ConfigureAwait(false);
        }
        catch (Exception impatience) when (impatience is TimeoutException or TunnelException)
        {
            // Whoever did not listen to the goodbye notices by the idle timeout; the loop may be gone already.
        }
    }

    private async ValueTask<DialTarget> ResolveAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        IReadOnlyList<NetworkAddress> hints = _options.AllowDirectPaths ? ticket.Hints : [];
        if (ticket.Rendezvous is not { } server)
            return new DialTarget(ticket, hints, null);
        try
        {
            return new DialTarget(ticket, hints, await ResolveAsync(server, cancellationToken).ConfigureAwait(false));
        }
        catch (TunnelException) when (hints.Count > 0)
        {
            return new DialTarget(ticket, hints, null);
        }
    }

    private static async ValueTask<ServerAddresses> ResolveAsync(ServerName server, CancellationToken cancellationToken)
    {
        try
        {
            return ServerAddresses.From(await Dns.GetHostAddressesAsync(server.Host, cancellationToken).ConfigureAwait(false), server.Port, server.Host);
        }
        catch (SocketException error)
        {
            throw new TunnelException(
                TunnelFailure.RendezvousUnreachable, $"The name of the rendezvous server {server} cannot be resolved: {error.Message}.", error);
        }
    }
}
