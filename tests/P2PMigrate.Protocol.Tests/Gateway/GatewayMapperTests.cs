using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Gateway;

/// <summary>Hours of a gateway's life in virtual time.</summary>
public sealed class GatewayMapperTests
{
    private static readonly NetworkAddress s_external = MemoryGateway.Address("198.51.100.7:40000");

    [Theory]
    [InlineData(MappingProtocols.Pcp, MappingProtocol.Pcp)]
    [InlineData(MappingProtocols.NatPmp, MappingProtocol.NatPmp)]
    [InlineData(MappingProtocols.Upnp, MappingProtocol.Upnp)]
    [InlineData(MappingProtocols.All, MappingProtocol.Pcp)]
    public void Each_protocol_maps_the_port_and_together_the_best_does(MappingProtocols spoken, MappingProtocol expected)
    {
        GatewayWorld world = new GatewayWorld(spoken).Start();

        Assert.Equal(expected, world.Mapper.Mapping?.Protocol);
        Assert.Equal(s_external, world.External);
        Assert.Equal(MemoryGateway.Client, Assert.Single(world.Gateway.Table).Value.Internal);
        Assert.Equal(new MappingChanged(world.Mapper.Mapping), Assert.Single(world.Events.OfType<MappingChanged>()));
    }

    [Theory]
    [InlineData(false, true, MappingProtocol.NatPmp)]
    [InlineData(false, false, MappingProtocol.Upnp)]
    [Trait("Spec", "PATH-52")]
    public void What_the_gateway_does_not_speak_is_left_for_the_next_best(bool pcp, bool natPmp, MappingProtocol expected)
    {
        var world = new GatewayWorld();
        (world.Gateway.SpeaksPcp, world.Gateway.SpeaksNatPmp) = (pcp, natPmp);

        world.Start();

        Assert.Equal(expected, world.Mapper.Mapping?.Protocol);
        Assert.Single(world.Gateway.Table);
    }

    [Fact]
    [Trait("Spec", "PATH-52")]
    public void A_silent_gateway_of_UPnP_has_mapped_after_the_head_start_of_the_others()
    {
        var world = new GatewayWorld();
        (world.Gateway.SpeaksPcp, world.Gateway.SpeaksNatPmp) = (false, false);
        world.Gateway.Restart(world.Now);
        world.Mapper.Start(world.Now);
        world.Drain();

        world.Pass(GatewayMapper.HeadStart * 2 - TimeSpan.FromMilliseconds(1));
        Assert.Empty(world.Gateway.Table);
        world.Pass(TimeSpan.FromMilliseconds(1));

        Assert.Single(world.Gateway.Table);
    }

    [Theory]
    [InlineData(MappingProtocols.Pcp, 3600)]
    [InlineData(MappingProtocols.NatPmp, 3600)]
    [InlineData(MappingProtocols.Upnp, 3600)]
    [InlineData(MappingProtocols.Pcp, 120)]
    [InlineData(MappingProtocols.NatPmp, 7)]
    [Trait("Spec", "PATH-54")]
    public void A_mapping_stands_for_a_day_and_is_renewed_at_half_its_life(MappingProtocols spoken, uint lifetime)
    {
        var world = new GatewayWorld(spoken);
        world.Gateway.LongestLifetime = lifetime;
        world.Start();

        for (int minutes = 0; minutes < 24 * 60; minutes++)
        {
            world.Pass(TimeSpan.FromMinutes(1));
            Instant expiresAt = Assert.Single(world.Gateway.Table).Value.ExpiresAt;
            Assert.True(expiresAt > world.Now, $"minute {minutes}");
        }

        int renewals = world.Gateway.Asked.Count(asked => asked is "map" or "pmp-map" or "AddPortMapping");
        int expected = (int)(86_400 / (lifetime / 2.0));
        Assert.InRange(renewals, expected - 1, expected + expected / 10 + 2);
        Assert.Single(world.Events.OfType<MappingChanged>());
    }

    [Theory]
    [InlineData(MappingProtocols.Pcp)]
    [InlineData(MappingProtocols.NatPmp)]
    [InlineData(MappingProtocols.Upnp)]
    [Trait("Spec", "PATH-56")]
    public void A_release_leaves_nothing_at_the_gateway(MappingProtocols spoken)
    {
        GatewayWorld world = new GatewayWorld(spoken).Start();

        world.Release();

        Assert.Empty(world.Gateway.Table);
        Assert.True(world.Mapper.IsReleased);
        Assert.Equal(new MappingChanged(null), world.Events[^1]);
        Assert.Equal(Instant.Never, world.Mapper.NextTimeout);
    }

    [Fact]
    [Trait("Spec", "PATH-56")]
    public void A_release_from_a_gateway_that_is_gone_comes_to_an_end()
    {
        GatewayWorld world = new GatewayWorld().Start();
        world.Gateway.IsUp = false;

        world.Release();
        Assert.False(world.Mapper.IsReleased);
        world.Pass(TimeSpan.FromSeconds(10));

        Assert.True(world.Mapper.IsReleased);
    }

    [Fact]
    [Trait("Spec", "PATH-56")]
    public void Nobody_waits_for_a_gateway_that_never_said_a_word()
    {
        var world = new GatewayWorld();
        world.Gateway.IsUp = false;
        world.Mapper.Start(world.Now);
        world.Drain();

        world.Release();

        Assert.True(world.Mapper.IsReleased);
        Assert.Equal(Instant.Never, world.Mapper.NextTimeout);
    }

    [Theory]
    [InlineData(MappingProtocols.Pcp)]
    [InlineData(MappingProtocols.NatPmp)]
    [InlineData(MappingProtocols.Upnp)]
    [Trait("Spec", "PATH-54")]
    public void A_gateway_that_restarts_and_says_so_has_the_mapping_back_at_once(MappingProtocols spoken)
    {
        GatewayWorld world = new GatewayWorld(spoken).Start();
        world.Gateway.Restart(world.Now);
        Assert.Empty(world.Gateway.Table);

        Assert.Equal(Refusal.None, world.Announce());

        Assert.Single(world.Gateway.Table);
        Assert.Single(world.Events.OfType<MappingChanged>());
    }

    [Theory]
    [InlineData(MappingProtocols.Pcp)]
    [InlineData(MappingProtocols.NatPmp)]
    [InlineData(MappingProtocols.Upnp)]
    [Trait("Spec", "PATH-54")]
    public void A_gateway_that_restarts_in_silence_is_found_out_by_the_next_check(MappingProtocols spoken)
    {
        GatewayWorld world = new GatewayWorld(spoken).Start();
        world.Pass(TimeSpan.FromMinutes(10));
        world.Gateway.Restart(world.Now);

        world.Pass(TimeSpan.FromMinutes(1));

        Assert.Single(world.Gateway.Table);
    }

    [Fact]
    public void A_gateway_whose_UPnP_comes_back_at_another_port_is_searched_again()
    {
        GatewayWorld world = new GatewayWorld(MappingProtocols.Upnp).Start();
        world.Pass(TimeSpan.FromMinutes(10));
        world.Gateway.Restart(world.Now);
        world.Gateway.HttpPort = 5001;

        world.Pass(TimeSpan.FromMinutes(1));

        Assert.Single(world.Gateway.Table);
        Assert.Equal(s_external, world.External);
    }

    [Theory]
    [InlineData(MappingProtocols.Pcp)]
    [InlineData(MappingProtocols.NatPmp)]
    [InlineData(MappingProtocols.Upnp)]
    public void Another_outside_address_is_told(MappingProtocols spoken)
    {
        GatewayWorld world = new GatewayWorld(spoken).Start();
        world.Gateway.External = MemoryGateway.Address("203.0.113.9:1");

        world.Pass(TimeSpan.FromMinutes(31));

        Assert.Equal(MemoryGateway.Address("203.0.113.9:40000"), world.External);
        Assert.Equal(2, world.Events.OfType<MappingChanged>().Count());
    }

    [Fact]
    [Trait("Spec", "PATH-54")]
    public void A_gateway_that_falls_silent_loses_the_mapping_when_it_expires_and_not_before()
    {
        GatewayWorld world = new GatewayWorld(MappingProtocols.Pcp).Start();
        world.Gateway.IsUp = false;

        world.Pass(TimeSpan.FromMinutes(50));
        Assert.NotNull(world.External);
        world.Pass(TimeSpan.FromMinutes(11));

        Assert.Null(world.External);
        Assert.Contains("The gateway has stopped to answer, and the mapping expired.", world.Refusals);
        world.Gateway.Restart(world.Now);
        world.Gateway.IsUp = true;
        world.Pass(GatewayMapper.LongestPause);
        Assert.Equal(s_external, world.External);
    }

    [Fact]
    [Trait("Spec", "PATH-54")]
    public void Where_nobody_answers_the_search_goes_on_ever_more_rarely_and_says_so_once()
    {
        var world = new GatewayWorld();
        world.Gateway.IsUp = false;
        world.Start();
        world.Pass(TimeSpan.FromHours(1));
        int before = world.Sent.Count;

        world.Pass(TimeSpan.FromHours(10));

        Assert.InRange(world.Sent.Count - before, 1, 62 * 26); // 26 datagrams a search
        Assert.Equal(3, world.Refusals.Count());
        world.Gateway.IsUp = true;
        world.Pass(GatewayMapper.LongestPause + TimeSpan.FromSeconds(10));
        Assert.Equal(s_external, world.External);
    }

    [Fact]
    [Trait("Spec", "PATH-54")]
    public void An_announcement_ends_the_wait_for_a_gateway_that_maps()
    {
        var world = new GatewayWorld();
        world.Gateway.IsUp = false;
        world.Start();
        world.Pass(TimeSpan.FromHours(1));
        world.Gateway.IsUp = true;

        world.Announce();

        Assert.Equal(s_external, world.External);
    }

    [Theory]
    [InlineData(2, "The gateway does not let this machine map ports by PCP; look for a setting of that name.")]
    [InlineData(12, "There is another NAT between this machine and the gateway.")]
    [InlineData(99, "The gateway refused PCP with the unknown code 99.")]
    public void A_refusal_is_told_in_a_sentence_and_the_next_protocol_is_tried(byte code, string sentence)
    {
        var world = new GatewayWorld();
        world.Gateway.PcpResult = code;

        world.Start();

        Assert.Contains(new MappingRefused(MappingProtocol.Pcp, sentence), world.Events);
        Assert.Equal(MappingProtocol.NatPmp, world.Mapper.Mapping?.Protocol);
    }

    [Fact]
    public void When_two_protocols_refuse_the_third_maps()
    {
        var world = new GatewayWorld();
        (world.Gateway.PcpResult, world.Gateway.NatPmpResult) = (2, 2);

        world.Start();

        Assert.Equal(MappingProtocol.Upnp, world.Mapper.Mapping?.Protocol);
        Assert.Equal(2, world.Refusals.Count());
    }

    [Fact]
    [Trait("Spec", "PATH-53")]
    public void Only_the_gateway_s_own_answers_count()
    {
        var world = new GatewayWorld(MappingProtocols.Pcp);
        world.Mapper.Start(world.Now);
        Assert.True(world.Mapper.TryPollTransmit(out GatewayTransmit request));
        (NetworkAddress source, byte[] answer) = world.Gateway.Handle(world.Now, request)!.Value;

        Assert.Equal(Refusal.Unexpected, world.Mapper.Handle(world.Now, GatewayChannel.Control, MemoryGateway.Address("192.168.1.66:5351"), answer));
        Assert.Equal(Refusal.Unexpected, world.Mapper.Handle(world.Now, GatewayChannel.Control, source.WithPort(5352), answer));
        byte[] guessed = [.. answer];
        guessed[24] ^= 1; // another nonce
        Assert.Equal(Refusal.Unexpected, world.Mapper.Handle(world.Now, GatewayChannel.Control, source, guessed));
        Assert.Null(world.External);

        Assert.Equal(Refusal.None, world.Mapper.Handle(world.Now, GatewayChannel.Control, source, answer));
        Assert.Equal(s_external, world.External);
    }

    [Fact]
    [Trait("Spec", "PATH-54")]
    public void Announcements_of_others_and_too_many_of_them_move_nothing()
    {
        GatewayWorld world = new GatewayWorld(MappingProtocols.Pcp).Start();
        int before = world.Sent.Count;

        Assert.Equal(Refusal.Unexpected, world.Announce(MemoryGateway.Address("192.168.1.66:5351")));
        Assert.Equal(before, world.Sent.Count);
        for (int count = 0; count < 100; count++)
            world.Announce();

        Assert.Equal(before + 1, world.Sent.Count);
    }

    [Theory]
    [InlineData("198.51.100.7:1", ExternalReach.Public)]
    [InlineData("10.1.2.3:1", ExternalReach.Private)]
    [InlineData("172.31.2.3:1", ExternalReach.Private)]
    [InlineData("192.168.7.3:1", ExternalReach.Private)]
    [InlineData("100.64.0.1:1", ExternalReach.Private)]
    [InlineData("100.128.0.1:1", ExternalReach.Public)]
    [InlineData("0.0.0.0:1", ExternalReach.Nowhere)]
    [InlineData("127.0.0.1:1", ExternalReach.Nowhere)]
    [InlineData("169.254.3.1:1", ExternalReach.Nowhere)]
    [InlineData("239.255.255.250:1", ExternalReach.Nowhere)]
    [InlineData("[2001:db8::1]:1", ExternalReach.Public)]
    [InlineData("[fd00::1]:1", ExternalReach.Private)]
    [InlineData("[fe80::1]:1", ExternalReach.Nowhere)]
    [InlineData("[::1]:1", ExternalReach.Nowhere)]
    [Trait("Spec", "PATH-55")]
    public void An_external_address_tells_who_can_reach_it(string external, ExternalReach expected)
    {
        Assert.Equal(expected, new PortMapping(MappingProtocol.Pcp, MemoryGateway.Address(external), Instant.Never).Reach);
    }
}
