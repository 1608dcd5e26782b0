using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>One server, some clients, no sockets: datagrams arrive at once, twice, or not at all, as the test says.</summary>
internal sealed class RendezvousWorld : IDisposable
{
    private readonly byte[] _buffer = new byte[2048];

    public RendezvousWorld(RendezvousServerOptions? options = null, int seed = 1)
    {
        Entropy = new SeededEntropy(seed);
        Options = options ?? new RendezvousServerOptions();
        Server = new RendezvousServerCore(Options, Entropy);
    }

    public SeededEntropy Entropy { get; }

    public RendezvousServerOptions Options { get; }

    public RendezvousServerCore Server { get; private set; }

    public List<Peer> Peers { get; } = [];

    public Instant Now { get; set; } = new(1_000_000_000);

    /// <summary>How often does a datagram arrive? 1 unless a test says otherwise.</summary>
    public Func<ReadOnlyMemory<byte>, int> Copies { get; set; } = _ => 1;

    /// <summary>Every datagram that was sent, with its direction.</summary>
    public List<(bool ToServer, NetworkAddress Client, byte[] Datagram)> Sent { get; } = [];

    public Peer AddPeer(string address, bool isRegistering)
    {
        var identity = PrivateIdentity.Create(Entropy);
        var peer = new Peer(identity, new RendezvousClientCore(new RendezvousClientOptions { Identity = identity, IsRegistering = isRegistering }, Entropy))
        {
            Address = Address(address),
        };
        Peers.Add(peer);
        peer.Client.Start(Now);
        return peer;
    }

    public void RestartServer()
    {
        Server.Dispose();
        Server = new RendezvousServerCore(Options, Entropy);
    }

    /// <summary>Moves datagrams until nobody has anything to say at this moment.</summary>
    public void Settle()
    {
        bool isBusy = true;
        for (int round = 0; isBusy; round++)
        {
            Assert.True(round < 1000, "The world does not come to rest.");
            isBusy = DeliverToClients();
            foreach (Peer peer in Peers)
            {
                isBusy |= DeliverToServer(peer);
                peer.CollectEvents();
            }
        }
    }

    /// <summary>Lets time pass from deadline to deadline.</summary>
    public void Advance(TimeSpan time)
    {
        Settle();
        for (Instant end = Now + time; Now < end;)
        {
            Instant next = Peers.Aggregate(Server.NextTimeout, (earliest, peer) => Instant.Min(earliest, peer.Client.NextTimeout));
            Now = Instant.Min(end, Instant.Max(next, Now));
            Server.HandleTimeout(Now);
            Peers.ForEach(peer => peer.Client.HandleTimeout(Now));
            Settle();
        }
    }

    public Refusal SendToServer(NetworkAddress source, ReadOnlySpan<byte> datagram) => Server.Handle(Now, source, datagram);

    public bool Relay(Peer from, RelayLegId leg, byte[] inner, out NetworkAddress destination, out byte[] frame, out Refusal refusal)
    {
        frame = [.. new byte[RelayFrame.HeaderSize], .. inner];
        RelayFrame.WriteHeader(frame, leg);
        return Server.TryRelay(Now, from.Address, frame, out destination, out refusal);
    }

    /// <summary>Registers a responder, lets an initiator offer to it, and answers: both get their legs.</summary>
    public (Peer Initiator, RelayLegId InitiatorLeg, Peer Responder, RelayLegId ResponderLeg) Meet()
    {
        Peer responder = AddPeer("198.51.100.2:2000", isRegistering: true);
        Peer initiator = AddPeer("198.51.100.1:1000", isRegistering: false);
        Settle();
        initiator.Client.Offer(Now, responder.Id, Init());
        Settle();
        OfferReceived offer = responder.Take<OfferReceived>();
        responder.Client.Answer(offer.Offer, Response());
        Settle();
        return (initiator, initiator.Take<AnswerReceived>().Leg, responder, offer.Leg);
    }

    public static byte[] Init(byte fill = 7) => [FirstByte.HandshakeInit, .. Enumerable.Repeat(fill, 779)];

    public static byte[] Response(byte fill = 8) => [FirstByte.HandshakeResponse, .. Enumerable.Repeat(fill, 715)];

    public static NetworkAddress Address(string text) => NetworkAddress.TryParse(text, out NetworkAddress address) ? address : throw new ArgumentException(text);

    public void Dispose()
    {
        Server.Dispose();
        Peers.ForEach(peer => peer.Identity.Dispose());
    }

    private bool DeliverToClients()
    {
        bool isBusy = false;
        while (Server.TryPollTransmit(_buffer, out NetworkAddress destination, out int length))
        {
            isBusy = true;
            byte[] datagram = _buffer[..length];
            Sent.Add((false, destination, datagram));
            Peer? peer = Peers.Find(peer => peer.Address == destination);
            for (int copy = Copies(datagram); copy > 0; copy--)
            {
                peer?.Client.Handle(Now, datagram);
            }
        }

        return isBusy;
    }

    private bool DeliverToServer(Peer peer)
    {
        bool isBusy = false;
        while (peer.Client.TryPollTransmit(_buffer, out int length))
        {
            isBusy = true;
            byte[] datagram = _buffer[..length];
            Sent.Add((true, peer.Address, datagram));
            for (int copy = Copies(datagram); copy > 0; copy--)
            {
                Server.Handle(Now, peer.Address, datagram);
                DeliverToClients();
            }
        }

        return isBusy;
    }

    internal sealed class Peer(PrivateIdentity identity, RendezvousClientCore client)
    {
        public PrivateIdentity Identity { get; } = identity;

        public PeerId Id => Identity.PeerId;

        public RendezvousClientCore Client { get; } = client;

        public NetworkAddress Address { get; set; }

        public List<RendezvousEvent> Events { get; } = [];

        public void CollectEvents()
        {
            while (Client.TryPollEvent(out RendezvousEvent? next))
            {
                Events.Add(next);
            }
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
