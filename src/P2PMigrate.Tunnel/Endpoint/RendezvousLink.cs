using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// The talk with one rendezvous server: the pure client, and the server's address, which is the one of its name's that
/// answered first. Loop only.
/// </summary>
// spec: RDV-18
internal sealed class RendezvousLink(ServerAddresses addresses, RendezvousClientCore client)
{
    private readonly byte[] _buffer = new byte[RendezvousClientCore.MaxDatagramSize];
    private NetworkAddress _server = addresses.All[0];
    private bool _isKnown;
    private Instant? _askedFirst;
    private int _asked = 1;

    /// <summary>Where the server is, as far as is known.</summary>
    public NetworkAddress Server => _server;

    /// <summary>The pure client.</summary>
    public RendezvousClientCore Client => client;

    /// <summary>May a message from <paramref name="remote"/> be the server's?</summary>
    public bool IsFrom(NetworkAddress remote) => _isKnown ? _server == remote : addresses.All.Contains(remote);

    /// <summary>Is that one of the addresses of the server's name? All of them lead to one server, whichever it answers from.</summary>
    public bool Has(NetworkAddress address) => addresses.All.Contains(address);

    /// <summary>A rendezvous message came from where the server may be.</summary>
    public void Handle(Instant now, NetworkAddress remote, ReadOnlySpan<byte> datagram)
    {
        if (client.Handle(now, datagram) == Refusal.None)
            (_server, _isKnown) = (remote, true);
    }

    /// <summary>Does what is due. While none of the addresses answers, more and more of them are asked.</summary>
    public void HandleTimeout(Instant now)
    {
        _askedFirst ??= now;
        _asked = addresses.CountAfter(now - _askedFirst.Value);
        client.HandleTimeout(now);
    }

    /// <summary>The server has said nothing for long: all its addresses are asked again.</summary>
    public void HandleSilence() => _isKnown = false;

    /// <summary>Moves what the client wants to say to <paramref name="strays"/>.</summary>
    public void Drain(StrayDatagrams strays)
    {
        while (client.TryPollTransmit(_buffer, out int length))
        {
            if (_isKnown)
                strays.Add(_buffer.AsSpan(0, length), _server);
            else
                Ask(strays, length);
        }
    }

    private void Ask(StrayDatagrams strays, int length)
    {
        for (int i = 0; i < _asked; i++)
            strays.Add(_buffer.AsSpan(0, length), addresses.All[i]);
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
    public void Register(Instant now, ServerAddresses server) => Home = Add(now, server, isRegistering: true);

    /// <summary>The link to a server, a new one if need be.</summary>
    public RendezvousLink GetOrAdd(Instant now, ServerAddresses server) =>
        _links.Find(link => server.All.Any(link.Has)) ?? Add(now, server, isRegistering: false);

    /// <summary>The link to the server that may be at <paramref name="remote"/>.</summary>
    public RendezvousLink? Find(NetworkAddress remote) => _links.Find(link => link.IsFrom(remote));

    /// <summary>Forgets one that nobody needs any more.</summary>
    public void RemoveAt(int index) => _links.RemoveAt(index);

    private RendezvousLink Add(Instant now, ServerAddresses server, bool isRegistering)
    {
        var clientOptions = new RendezvousClientOptions { Identity = options.Identity, IsRegistering = isRegistering };
        var link = new RendezvousLink(server, new RendezvousClientCore(clientOptions, CryptographicEntropy.Instance));
        link.Client.Start(now);
        _links.Add(link);
        return link;
    }
}
