using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>The talk with one rendezvous server: the pure client, and the server's address. Loop only.</summary>
internal sealed class RendezvousLink(NetworkAddress server, RendezvousClientCore client)
{
    private readonly byte[] _buffer = new byte[RendezvousClientCore.MaxDatagramSize];

    /// <summary>Where the server is.</summary>
    public NetworkAddress Server => server;

    /// <summary>The pure client.</summary>
    public RendezvousClientCore Client => client;

    /// <summary>Moves what the client wants to say to <paramref name="strays"/>.</summary>
    public void Drain(StrayDatagrams strays)
    {
        while (client.TryPollTransmit(_buffer, out int length))
            strays.Add(_buffer.AsSpan(0, length), server);
    }
}

/// <summary>
/// Every server that this endpoint talks to: the one where it is registered, and those of the tickets that it dials. Loop only.
/// </summary>
internal sealed class RendezvousLinks(TunnelOptions options)
{
    private readonly List<RendezvousLink> _links = [];

    /// <summary>How many there are.</summary>
    public int Count => _links.Count;

    /// <summary>One of them.</summary>
    public RendezvousLink this[int index] => _links[index];

    /// <summary>The server where others find this peer.</summary>
    public RendezvousLink? Home { get; private set; }

    /// <summary>The earliest deadline of all.</summary>
    public Instant NextTimeout
    {
        get
        {
            Instant next = Instant.Never;
            foreach (RendezvousLink link in _links)
                next = Instant.Min(next, link.Client.NextTimeout);
            return next;
        }
    }

    /// <summary>Registers at <paramref name="server"/>. Once.</summary>
    public void Register(Instant now, NetworkAddress server) => Home = Add(now, server, isRegistering: true);

    /// <summary>The link to a server, a new one if need be.</summary>
    public RendezvousLink GetOrAdd(Instant now, NetworkAddress server) => Find(server) ?? Add(now, server, isRegistering: false);

    /// <summary>The link to a server.</summary>
    public RendezvousLink? Find(NetworkAddress server) => _links.Find(link => link.Server == server);

    /// <summary>Forgets one that nobody needs any more.</summary>
    public void RemoveAt(int index) => _links.RemoveAt(index);

    private RendezvousLink Add(Instant now, NetworkAddress server, bool isRegistering)
    {
        var clientOptions = new RendezvousClientOptions { Identity = options.Identity, IsRegistering = isRegistering };
        var link = new RendezvousLink(server, new RendezvousClientCore(clientOptions, CryptographicEntropy.Instance));
        link.Client.Start(now);
        _links.Add(link);
        return link;
    }
}
