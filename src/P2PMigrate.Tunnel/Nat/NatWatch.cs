using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Network;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sessions;

namespace P2PMigrate.Tunnel.Nat;

/// <summary>
/// Keeps what is known of the NATs before this endpoint fresh: surveys them when a server is first heard, when the outside address or
/// the network changed, and now and then. Tells peers in handshakes, and on sessions whenever it knows better. Loop only, except <see cref="Completed"/>.
/// </summary>
// spec: PATH-61, PATH-65
internal sealed class NatWatch(
    DatagramLoop loop, OwnCandidates own, SessionTable sessions, StrayDatagrams strays, bool isAllowed, Func<IPEndPoint, Socket>? bind = null)
{
    /// <summary>The time between two surveys at least, however often there is a reason.</summary>
    // spec: CONST-224
    public static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(5);

    /// <summary>The time between two surveys without a reason.</summary>
    // spec: CONST-224
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>So much later than it could begin a survey begins, for what tells the address may have been waited for by an offer, which goes first.</summary>
    // spec: CONST-224
    public static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(2);

    private readonly byte[] _buffer = new byte[NatSurvey.MaxDatagramSize];
    private readonly Pace _pace = new(ShortestPause, ShortestPause);
    private readonly TaskCompletionSource<NatReport> _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RendezvousLink? _subject;
    private NatSurvey? _survey;
    private FreshSockets? _sockets;
    private Instant _againAt = Instant.Never;
    private bool _isStale = true;

    /// <summary>The first complete report. Any thread.</summary>
    public Task<NatReport> Completed => _completed.Task;

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public Instant NextTimeout => _subject is null
        ? Instant.Never
        : Instant.Min(_survey?.NextTimeout ?? Instant.Never, Instant.Min(_pace.NextTimeout, _againAt));

    /// <summary>A server sees this endpoint at an address that is new: what was known may be wrong. <paramref name="isHome"/>: it is the one where this peer is registered.</summary>
    public void HandleObserved(Instant now, RendezvousLink server, bool isHome)
    {
        if (!isAllowed || (_subject is not null && _subject != server && !isHome))
            return;
        _subject = server;
        _isStale = true;
        _againAt = Instant.Min(_againAt, now + Courtesy);
    }

    /// <summary>The network may be another one: what was known may be wrong.</summary>
    public void HandleNetworkChange(Instant now)
    {
        if (_subject is null)
            return;
        _isStale = true;
        _pace.Ask();
        BeginIfWanted(now);
    }

    /// <summary>Nobody needs this server any more.</summary>
    public void Forget(RendezvousLink server)
    {
        if (_subject != server)
            return;
        End();
        _subject = null;
        _againAt = Instant.Never;
    }

    /// <summary>A rendezvous message came to the main socket. False when it belongs to no survey.</summary>
    public bool TryHandle(Instant now, NetworkAddress remote, ReadOnlySpan<byte> datagram)
    {
        if (_survey?.TryHandle(now, socket: 0, remote, datagram) != true)
            return false;
        Drain(now);
        return true;
    }

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now >= _againAt)
        {
            _againAt = Instant.Never;
            _pace.Ask();
        }

        BeginIfWanted(now);
        _survey?.HandleTimeout(now);
        Drain(now);
    }

    /// <summary>The endpoint goes.</summary>
    public void Stop()
    {
        End();
        _subject = null;
        _completed.TrySetException(new TunnelException(TunnelFailure.Closed, "The tunnel endpoint was disposed."));
        _ = _completed.Task.Exception;
    }

    private void BeginIfWanted(Instant now)
    {
        if (_subject is not { } subject || !_pace.TryTake(now))
            return;
        End();
        NetworkAddress server = subject.UdpAddress;
        FreshSockets sockets = FreshSockets.Open(loop.Local, server, NatSurvey.FreshSockets, bind);
        var options = new NatSurveyOptions
        {
            Server = server,
            Alternates = subject.Client.Alternates.CredibleAt(server),
            LocalPorts = [loop.Local.Port, .. sockets.Ports],
        };
        (_survey, _sockets) = (new NatSurvey(now, options, CryptographicEntropy.Instance), sockets);
        sockets.Start((index, from, datagram) => loop.CallAsync(at => HandleFresh(at, sockets, index, from, datagram)));
        Drain(now);
    }

    private bool HandleFresh(Instant now, FreshSockets sockets, int index, NetworkAddress from, byte[] datagram)
    {
        if (sockets != _sockets || FirstByte.Classify(datagram) != DatagramType.Rendezvous)
            return false;
        bool isMine = _survey!.TryHandle(now, index + 1, from, datagram);
        Drain(now);
        return isMine;
    }

    private void Drain(Instant now)
    {
        if (_survey is not { } survey)
            return;
        while (survey.TryPollTransmit(_buffer, out SurveyTransmit transmit))
        {
            if (transmit.Socket == 0)
                strays.Add(_buffer.AsSpan(0, transmit.Length), transmit.Destination);
            else
                _sockets!.Send(transmit.Socket - 1, transmit.Destination, _buffer.AsSpan(0, transmit.Length));
        }

        if (survey.TryTakeReport(out NatReport report))
            Publish(report);
        if (!survey.IsOver)
            return;
        End();
        _againAt = now + LongestPause;
    }

    // Half a report is better than one of another place, but not better than a whole one of this place. A server that was silent says nothing.
    private void Publish(NatReport report)
    {
        if (report.IsComplete)
            _completed.TrySetResult(report);
        bool isWorthTelling = !report.Observed.IsNone && (report.IsComplete || (_isStale && report.Profile.Mapping != NatMapping.Unknown));
        if (!isWorthTelling)
            return;
        _isStale &= !report.IsComplete;
        own.Nat = report.Profile;
        foreach (SessionDriver session in sessions.All)
            session.SetLocalNat(report.Profile);
    }

    private void End()
    {
        _sockets?.Dispose();
        (_survey, _sockets) = (null, null);
    }
}
