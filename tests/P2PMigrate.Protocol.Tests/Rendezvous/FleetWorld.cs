using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>
/// Several servers of one fleet, a directory between them that obeys, sleeps or lies as the test says, and peers that each know one
/// server. No sockets: everything arrives at once.
/// </summary>
internal sealed class FleetWorld : IDisposable
{
    private readonly byte[] _buffer = new byte[2048];
    private readonly Dictionary<FleetKey, ServerId> _entries = [];
    private Instant _doubtUntil;
    private readonly Queue<(NetworkAddress From, NetworkAddress To, byte[] Datagram)> _flying = [];

    public FleetWorld(int servers, RendezvousServerOptions? options = null)
    {
        for (int index = 1; index <= servers; index++)
            Servers.Add(new Server(options ?? new RendezvousServerOptions(), RendezvousWorld.Address($"203.0.113.{index}:3478"), Entropy));
    }

    public SeededEntropy Entropy { get; } = new(7);

    public List<Server> Servers { get; } = [];

    public List<Peer> Peers { get; } = [];

    public Instant Now { get; private set; } = new(1_000_000_000);

    /// <summary>Does the directory answer?</summary>
    public bool IsDirectoryUp { get; set; } = true;

    /// <summary>What the directory makes of a message that it carries; null: nothing arrives.</summary>
    public Func<byte[], byte[]?> Tamper { get; set; } = message => message;

    /// <summary>Is a datagram lost on its way?</summary>
    public Func<byte[], bool> Lose { get; set; } = _ => false;

    /// <summary>Is called when a peer is announced.</summary>
    public Action<FleetKey> Announced { get; set; } = _ => { };

    /// <summary>Every datagram that was sent.</summary>
    public List<(NetworkAddress From, NetworkAddress To, byte[] Datagram)> Sent { get; } = [];

    /// <summary>Every message that the directory was given to carry.</summary>
    public List<byte[]> Carried { get; } = [];

    public Peer AddPeer(string address, Server server, bool isRegistering, PrivateIdentity? identity = null)
    {
        identity ??= PrivateIdentity.Create(Entropy);
        var client = new RendezvousClientCore(new RendezvousClientOptions { Identity = identity, IsRegistering = isRegistering }, Entropy);
        var peer = new Peer(identity, client, RendezvousWorld.Address(address), server.Address);
        Peers.Add(peer);
        client.Start(Now);
        return peer;
    }

    /// <summary>An initiator at the first server, a responder at the second, and their legs.</summary>
    public (Peer Initiator, RelayLegId InitiatorLeg, Peer Responder, RelayLegId ResponderLeg) Meet(
        string initiatorAddress = "198.51.100.1:1000", string responderAddress = "198.51.100.2:2000")
    {
        Peer responder = AddPeer(responderAddress, Servers[1], isRegistering: true);
        Peer initiator = AddPeer(initiatorAddress, Servers[0], isRegistering: false);
        Settle();
        initiator.Client.Offer(Now, responder.Id, RendezvousWorld.Init());
        Settle();
        OfferReceived offer = responder.Take<OfferReceived>();
        responder.Client.Answer(offer.Offer, RendezvousWorld.Response());
        Settle();
        return (initiator, initiator.Take<AnswerReceived>().Leg, responder, offer.Leg);
    }

    public void Settle()
    {
        for (int round = 0; Move(); round++)
            Assert.True(round < 1000, "The world does not come to rest.");
    }

    public void Advance(TimeSpan time)
    {
        Settle();
        for (Instant end = Now + time; Now < end; Settle())
        {
            Instant next = Peers.Aggregate(end, (earliest, peer) => Instant.Min(earliest, peer.Client.NextTimeout));
            Now = Instant.Max(Now, Servers.Aggregate(next, (earliest, server) => Instant.Min(earliest, server.Core.NextTimeout)));
            Servers.ForEach(server => server.Core.HandleTimeout(Now));
            Peers.ForEach(peer => peer.Client.HandleTimeout(Now));
        }
    }

    /// <summary>A peer sends a frame; it arrives at the other if it does.</summary>
    public void Relay(Peer from, RelayLegId leg, byte[] inner)
    {
        byte[] frame = [.. new byte[RelayFrame.HeaderSize], .. inner];
        RelayFrame.WriteHeader(frame, leg);
        _flying.Enqueue((from.Address, from.Server, frame));
        Settle();
    }

    /// <summary>The directory forgets everything and says that it is back.</summary>
    public void RestoreEmptyDirectory()
    {
        _entries.Clear();
        _doubtUntil = Now + TimeSpan.FromSeconds(5); // spec: RDV-42
        IsDirectoryUp = true;
        Servers.ForEach(server => server.Core.HandleFleetRestored(Now));
    }

    public void Kill(Server server) => Servers.Remove(server);

    /// <summary>A message between servers that names another server's address.</summary>
    // All addresses here are IPv4, so they are encoded in the same number of bytes.
    public static byte[] WithServerAddress(byte[] message, NetworkAddress address)
    {
        int at = (FleetMessageKind)message[1] switch { FleetMessageKind.Offer => 20, FleetMessageKind.Answer => 28, _ => message.Length };
        if (at < message.Length)
        {
            var writer = new WireWriter(message.AsSpan(at));
            address.Encode(ref writer);
        }

        return message;
    }

    public void Dispose()
    {
        Servers.ForEach(server => server.Core.Dispose());
        Peers.ForEach(peer => peer.Identity.Dispose());
    }

    private bool Move()
    {
        bool isBusy = false;
        foreach (Server server in Servers.ToArray())
        {
            while (server.Core.TryPollTransmit(_buffer, out NetworkAddress to, out int length))
                _flying.Enqueue((server.Address, to, _buffer[..length]));
            while (server.Core.TryPollFleet(out FleetRequest? request))
            {
                isBusy = true;
                Ask(server, request);
            }
        }

        foreach (Peer peer in Peers)
        {
            while (peer.Client.TryPollTransmit(_buffer, out int length))
                _flying.Enqueue((peer.Address, peer.Server, _buffer[..length]));
            peer.CollectEvents();
        }

        if (_flying.TryDequeue(out (NetworkAddress From, NetworkAddress To, byte[] Datagram) next))
        {
            isBusy = true;
            Sent.Add(next);
            if (!Lose(next.Datagram))
                Deliver(next.From, next.To, [.. next.Datagram]);
        }

        return isBusy;
    }

    private void Deliver(NetworkAddress from, NetworkAddress to, byte[] datagram)
    {
        if (Servers.Find(server => server.Address == to) is { } server)
        {
            if (datagram[0] != FirstByte.RelayFrame)
                server.Core.Handle(Now, from, datagram);
            else if (server.Core.TryRelay(Now, from, datagram, out NetworkAddress destination, out _))
                _flying.Enqueue((server.Address, destination, datagram));
        }
        else if (Peers.Find(peer => peer.Address == to) is { } peer && from == peer.Server)
        {
            if (datagram[0] == FirstByte.RelayFrame)
                peer.Frames.Add(datagram);
            else
                peer.Client.Handle(Now, datagram);
        }
    }

    private void Ask(Server server, FleetRequest request)
    {
        switch (request)
        {
            case AnnounceKey announce when IsDirectoryUp:
                Announced(announce.Key);
                _entries[announce.Key] = server.Id;
                break;
            case WithdrawKey withdraw when IsDirectoryUp && _entries.TryGetValue(withdraw.Key, out ServerId owner) && owner == server.Id:
                _entries.Remove(withdraw.Key);
                break;
            case TellHolder tell:
                FleetOutcome outcome = !IsDirectoryUp ? FleetOutcome.Failed
                    : _entries.TryGetValue(tell.Key, out ServerId home) && Servers.Exists(each => each.Id == home) ? FleetOutcome.Taken
                    : Now < _doubtUntil ? FleetOutcome.Failed
                    : FleetOutcome.Unknown;
                if (outcome == FleetOutcome.Taken)
                    Carry(_entries[tell.Key], tell.Message);
                server.Core.HandleFleetOutcome(Now, tell.Token, outcome);
                break;
            case TellServer tell when IsDirectoryUp:
                Carry(tell.Server, tell.Message);
                break;
        }
    }

    private void Carry(ServerId to, ReadOnlyMemory<byte> message)
    {
        Carried.Add(message.ToArray());
        if (Tamper(message.ToArray()) is { } altered)
            Servers.Find(server => server.Id == to)?.Core.HandleFleetMessage(Now, altered);
    }

    internal sealed class Server
    {
        public Server(RendezvousServerOptions options, NetworkAddress address, IEntropy entropy)
        {
            Address = address;
            Id = ServerId.Create(entropy);
            Core = new RendezvousServerCore(options with { Fleet = new FleetMembership(Id, address) }, entropy);
        }

        public NetworkAddress Address { get; }

        public ServerId Id { get; }

        public RendezvousServerCore Core { get; }
    }

    internal sealed class Peer(PrivateIdentity identity, RendezvousClientCore client, NetworkAddress address, NetworkAddress server)
    {
        public PrivateIdentity Identity { get; } = identity;

        public PeerId Id => Identity.PeerId;

        public RendezvousClientCore Client { get; } = client;

        public NetworkAddress Address { get; set; } = address;

        /// <summary>Where it goes for a server now.</summary>
        public NetworkAddress Server { get; set; } = server;

        public List<RendezvousEvent> Events { get; } = [];

        public List<byte[]> Frames { get; } = [];

        public void CollectEvents()
        {
            while (Client.TryPollEvent(out RendezvousEvent? next))
                Events.Add(next);
        }

        public T Take<T>()
            where T : RendezvousEvent
        {
            T found = Events.OfType<T>().First();
            Events.Remove(found);
            return found;
        }
    }
}
