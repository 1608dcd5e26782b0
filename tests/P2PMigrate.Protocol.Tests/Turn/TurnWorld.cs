using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>A client and a TURN server in memory under one virtual clock; answers come at once, unless they are lost.</summary>
internal sealed class TurnWorld
{
    public TurnWorld(string password = MemoryTurnServer.Password) => Client = new TurnClient(
        new TurnClientOptions { Server = MemoryTurnServer.Address, Name = "turn.example:3478", Username = MemoryTurnServer.Username, Password = password }, new SeededEntropy(1));

    public Instant Now { get; private set; } = new(1_000_000_000_000);

    public MemoryTurnServer Server { get; } = new();

    public TurnClient Client { get; }

    public List<TurnEvent> Events { get; } = [];

    public List<byte[]> Sent { get; } = [];

    public IEnumerable<string> Sentences => Events.OfType<TurnFailed>().Select(failed => failed.Sentence);

    public static NetworkAddress Peer { get; } = NetworkAddress.FromBytes([203, 0, 113, 9], 40_000);

    public TurnWorld Start()
    {
        Client.Start(Now);
        Drain();
        return this;
    }

    /// <summary>Lets time pass, from deadline to deadline.</summary>
    public TurnWorld Pass(TimeSpan span)
    {
        Instant end = Now + span;
        for (int turns = 0; Client.NextTimeout <= end; turns++)
        {
            Assert.InRange(turns, 0, 100_000);
            Now = Instant.Max(Now, Client.NextTimeout);
            Client.HandleTimeout(Now);
            Drain();
        }

        Now = end;
        return this;
    }

    /// <summary>Sends a datagram to a peer as the driver does; what the peer gets, or null.</summary>
    public byte[]? Send(NetworkAddress peer, byte[] data, ulong session = 1)
    {
        byte[] buffer = new byte[data.Length + TurnClient.IndicationOverhead];
        int length;
        if (Client.ChannelOf(Now, peer) is var channel and not 0)
        {
            TurnClient.WriteHeader(buffer, channel, data.Length);
            data.CopyTo(buffer, TurnClient.HeaderSize);
            length = TurnClient.HeaderSize + data.Length;
        }
        else
        {
            length = Client.WriteIndication(Now, new(session), peer, data, buffer);
        }

        Drain();
        return Server.Relay(Now, buffer.AsSpan(0, length), out NetworkAddress to) is { } relayed && to == peer ? relayed : null;
    }

    /// <summary>A peer sends to the relayed address; what the client makes of it, or null.</summary>
    public byte[]? Receive(NetworkAddress peer, byte[] data)
    {
        if (Server.Wrap(Now, peer, data) is not { } datagram || !Client.TryUnwrap(Now, datagram, out NetworkAddress from, out ReadOnlySpan<byte> inner) || from != peer)
            return null;
        byte[] found = inner.ToArray();
        Drain();
        return found;
    }

    public void Release()
    {
        Client.Release(Now);
        Drain();
    }

    public void Drain()
    {
        while (Client.TryPollTransmit(out ReadOnlyMemory<byte> datagram))
        {
            Sent.Add(datagram.ToArray());
            if (Server.Handle(Now, datagram.Span) is { } answer)
                Client.Handle(Now, answer);
        }

        while (Client.TryPollEvent(out TurnEvent? news))
            Events.Add(news);
    }
}
