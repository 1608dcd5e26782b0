using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Turn;

/// <summary>
/// The address that a TURN server lends an endpoint, as one more local socket: what sessions send from there goes to the server
/// wrapped, by a UDP socket that serves for nothing else, and what comes back is unwrapped and handed to them. Tells when the address
/// becomes another one. Loop only, except <see cref="FirstWord"/>.
/// </summary>
// spec: TURN-01
internal sealed class TurnLink(SiblingSockets? siblings, SessionTable sessions, Action<Instant, Candidate?> changed, ILogger logger) : ISiblingOwner
{
    /// <summary>How long a dial waits for the server's first word.</summary>
    // spec: TURN-09, CONST-358
    public static readonly TimeSpan DialPatience = TimeSpan.FromSeconds(1);

    /// <summary>How long the endpoint's end waits for the server's word that the allocation is gone.</summary>
    // spec: TURN-03, CONST-358
    public static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(1);

    private static readonly LocalInterface s_interface = LocalInterface.Turn(0);

    private readonly TaskCompletionSource _firstWord = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TurnClient? _client;
    private SiblingSocket? _socket;
    private byte[] _scratch = [];
    private bool _isReleasing;

    /// <summary>Completes when it is known whether there is an allocation. Any thread.</summary>
    public Task FirstWord => _firstWord.Task;

    /// <summary>What sessions may send from; none while there is no allocation.</summary>
    public IReadOnlyList<LocalSocket> Sockets => _client is { Relayed: { IsNone: false } relayed }
        ? [new LocalSocket(s_interface, relayed.Family == IpFamily.V4, relayed.Family == IpFamily.V6) { Lent = relayed }]
        : [];

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Instant NextTimeout => _client?.NextTimeout ?? Instant.Never;

    /// <summary>Asks the server, which is at <paramref name="address"/>, for an allocation. Once; not at all when it was released before.</summary>
    public void Start(Instant now, TurnServer server, NetworkAddress address)
    {
        if (_isReleasing)
        {
            _firstWord.TrySetResult();
            return;
        }

        var options = new TurnClientOptions { Server = address, Name = server.Server.ToString(), Username = server.Username, Password = server.Password };
        _client = new TurnClient(options, CryptographicEntropy.Instance);
        Open(now);
        Settle(now);
    }

    /// <summary>There is no way to a server, for this reason.</summary>
    public void Fail(string sentence)
    {
        Log.TurnFailed(logger, sentence);
        _firstWord.TrySetResult();
    }

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        if (_client is not { } client || now < client.NextTimeout)
            return;
        client.HandleTimeout(now);
        Settle(now);
    }

    /// <summary>No path of a session answers, or the machine's network changed: the server may have forgotten, or see us elsewhere.</summary>
    // spec: TURN-08
    public void Recheck(Instant now) => _client?.Recheck(now);

    /// <inheritdoc/>
    public void HandleTrain(Instant now, LocalInterface socket, DatagramTrain train)
    {
        if (_client is not { } client || train.Remote != client.Server)
            return;
        foreach (ReadOnlySpan<byte> datagram in train)
        {
            if (client.TryUnwrap(now, datagram, out NetworkAddress peer, out ReadOnlySpan<byte> data))
                Deliver(now, peer, data);
            else
                client.Handle(now, datagram);
        }

        Settle(now);
    }

    /// <summary>Sends the train that <paramref name="session"/> has written into <paramref name="batch"/>, with room for a header before each datagram.</summary>
    // spec: TURN-06
    public void Send(Instant now, ConnectionId session, TransmitBatch batch, in Transmit transmit)
    {
        if (_client is not { } client || _socket is not { } socket)
            return;
        ushort channel = client.ChannelOf(now, transmit.Path.Remote);
        if (channel == 0)
        {
            SendOneByOne(now, session, client, socket, batch, transmit);
            return;
        }

        Span<byte> train = batch.Free[..transmit.Length];
        for (int start = 0; start < train.Length; start += transmit.DatagramSize)
            TurnClient.WriteHeader(train[start..], channel, Math.Min(transmit.DatagramSize, train.Length - start) - TurnClient.HeaderSize);
        batch.Add(transmit.Length, transmit.DatagramSize, client.Server);
        socket.SendLast(batch);
    }

    /// <summary>The size of a session's datagram that the machine could not send from here, of which it says the whole; 0 when it was not ours.</summary>
    // spec: PATH-45
    public int SizeOf(NetworkAddress remote, int size, PathAddress path) =>
        path.Local == s_interface && _client?.Server == remote ? size - TurnClient.HeaderSize : 0;

    /// <summary>Sends what the client itself has to say to the server. <paramref name="batch"/> is empty again afterwards, but for what was in it.</summary>
    public void SendOwn(TransmitBatch batch)
    {
        if (_client is not { } client || _socket is not { } socket)
            return;
        while (!batch.IsFull && client.TryPollTransmit(out ReadOnlyMemory<byte> datagram))
        {
            datagram.Span.CopyTo(batch.Free);
            batch.Add(datagram.Length, client.Server);
            socket.SendLast(batch);
        }
    }

    /// <summary>Gives the address back; what is returned completes when the server has said that it is gone.</summary>
    // spec: TURN-03
    public Task Release(Instant now)
    {
        _isReleasing = true;
        _client?.Release(now);
        if (_client is null or { IsReleased: true })
            _released.TrySetResult();
        return _released.Task;
    }

    private void Open(Instant now)
    {
        if (_socket is { } spent)
            siblings!.Close(spent);
        _socket = siblings?.TryOpen(this, s_interface);
        if (_socket is null)
            _client!.PutOff(now, "No TURN server can be used now: this machine gives no second UDP socket.");
        else
            _client!.Start(now);
    }

    private void Deliver(Instant now, NetworkAddress peer, ReadOnlySpan<byte> data)
    {
        if (PacketHeader.TryParse(data, out PacketHeader header, out _))
            sessions.Find(header.Destination)?.HandleTrain(now, new PathAddress(s_interface, peer), data, data.Length);
    }

    // Probes, mostly, until the peer has been heard. They are written anew, because they become longer.
    private void SendOneByOne(Instant now, ConnectionId session, TurnClient client, SiblingSocket socket, TransmitBatch batch, in Transmit transmit)
    {
        if (_scratch.Length < transmit.Length)
            _scratch = new byte[TransmitBatch.MaxTrainLength];
        Span<byte> train = _scratch.AsSpan(0, transmit.Length);
        batch.Free[..transmit.Length].CopyTo(train);
        foreach (ReadOnlySpan<byte> datagram in new DatagramTrain(transmit.Path.Remote, train, transmit.DatagramSize))
        {
            int length = client.WriteIndication(now, session, transmit.Path.Remote, datagram[TurnClient.HeaderSize..], batch.Free);
            if (length == 0)
                continue;
            batch.Add(length, client.Server);
            socket.SendLast(batch);
        }
    }

    private void Settle(Instant now)
    {
        while (_client!.TryPollEvent(out TurnEvent? news))
            Handle(now, news);
        if (_client.IsReleased)
            _released.TrySetResult();
    }

    private void Handle(Instant now, TurnEvent news)
    {
        switch (news)
        {
            case TurnAllocated allocated:
                Log.TurnAllocated(logger);
                Log.TurnAllocatedAt(logger, allocated.Relayed);
                changed(now, new Candidate(CandidateKind.Relayed, allocated.Relayed));
                _firstWord.TrySetResult();
                break;
            case TurnLost:
                Log.TurnLost(logger);
                changed(now, null);
                break;
            case TurnSocketSpent:
                Open(now);
                break;
            case TurnFailed failed:
                Fail(failed.Sentence);
                break;
        }
    }
}
