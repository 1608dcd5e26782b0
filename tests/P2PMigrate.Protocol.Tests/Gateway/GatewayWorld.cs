using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Gateway;

/// <summary>A mapper and a gateway in memory under one virtual clock; answers come at once.</summary>
internal sealed class GatewayWorld
{
    public GatewayWorld(MappingProtocols protocols = MappingProtocols.All, Func<GatewayMapperOptions, GatewayMapperOptions>? tune = null)
    {
        var options = new GatewayMapperOptions { Internal = MemoryGateway.Client, Gateway = MemoryGateway.Inside, Protocols = protocols };
        Mapper = new GatewayMapper(tune?.Invoke(options) ?? options, new SeededEntropy(1));
    }

    public Instant Now { get; private set; } = new(1_000_000_000_000);

    public MemoryGateway Gateway { get; } = new();

    public GatewayMapper Mapper { get; }

    public List<GatewayEvent> Events { get; } = [];

    public List<GatewayTransmit> Sent { get; } = [];

    public List<GatewayExchange> Exchanges { get; } = [];

    public NetworkAddress? External => Mapper.Mapping?.External;

    public IEnumerable<string> Refusals => Events.OfType<MappingRefused>().Select(refused => refused.Sentence);

    /// <summary>Starts and lets the first two seconds pass.</summary>
    public GatewayWorld Start()
    {
        Gateway.Restart(Now - TimeSpan.FromHours(9));
        Mapper.Start(Now);
        Drain();
        return Pass(TimeSpan.FromSeconds(6));
    }

    /// <summary>Lets time pass, from deadline to deadline.</summary>
    public GatewayWorld Pass(TimeSpan span)
    {
        Instant end = Now + span;
        for (int turns = 0; Mapper.NextTimeout <= end; turns++)
        {
            Assert.InRange(turns, 0, 100_000);
            Now = Instant.Max(Now, Mapper.NextTimeout);
            Mapper.HandleTimeout(Now);
            Drain();
        }

        Now = end;
        return this;
    }

    public void Release()
    {
        Mapper.Release(Now);
        Drain();
    }

    public Refusal Announce(NetworkAddress? source = null)
    {
        Refusal refusal = Mapper.Handle(
            Now, GatewayChannel.Announcements, source ?? MemoryGateway.Inside.WithPort(Pcp.ServerPort), Gateway.Announcement(Now));
        Drain();
        return refusal;
    }

    public void Drain()
    {
        bool more = true;
        while (more)
        {
            more = false;
            while (Mapper.TryPollTransmit(out GatewayTransmit transmit))
            {
                more = true;
                Sent.Add(transmit);
                if (Gateway.Handle(Now, transmit) is { } answer)
                    Mapper.Handle(Now, transmit.Channel, answer.Source, answer.Datagram);
            }

            while (Mapper.TryPollExchange(out GatewayExchange? exchange))
            {
                more = true;
                Exchanges.Add(exchange);
                Mapper.HandleReply(Now, exchange.Id, Gateway.Handle(Now, exchange));
            }

            while (Mapper.TryPollEvent(out GatewayEvent? news))
                Events.Add(news);
        }
    }
}
