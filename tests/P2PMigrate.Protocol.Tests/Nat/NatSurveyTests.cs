using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Rendezvous;

namespace P2PMigrate.Protocol.Tests.Nat;

/// <summary>A survey behind NATs of every behaviour.</summary>
public sealed class NatSurveyTests
{
    private static readonly TimeSpan s_roundTrip = SurveyWorld.HalfRoundTrip * 2;

    [Theory]
    [Trait("Spec", "PATH-62")]
    [Trait("Spec", "PATH-64")]
    [InlineData(NatMapping.EndpointIndependent)]
    [InlineData(NatMapping.AddressDependent)]
    [InlineData(NatMapping.AddressAndPortDependent)]
    public void Every_mapping_with_every_filtering_is_recognised(NatMapping mapping)
    {
        foreach (NatFiltering filtering in (NatFiltering[])[NatFiltering.EndpointIndependent, NatFiltering.AddressDependent, NatFiltering.AddressAndPortDependent])
        {
            foreach (bool hairpins in (bool[])[false, true])
            {
                using var world = new SurveyWorld(new VirtualNat(mapping, filtering, (count, _) => 20_000 + count, hairpins));

                NatReport report = world.Run();

                Assert.Equal((mapping, filtering), (report.Profile.Mapping, report.Profile.Filtering));
                Assert.Equal(hairpins, report.Hairpins);
                Assert.Equal((PortAllocation.Sequential, 1), (report.Profile.Allocation, report.Profile.Step));
                Assert.True(report.HasOtherAddress && report.HasOtherPort);
            }
        }
    }

    [Fact]
    public void Mapping_and_allocation_are_known_after_one_round_trip()
    {
        using var world = new SurveyWorld(new VirtualNat(NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, (count, _) => 20_000 + 2 * count));

        NatReport report = world.Run();

        Assert.Equal(s_roundTrip, world.KnownAt!.Value - world.Begun);
        Assert.Equal(s_roundTrip, report.RoundTrip);
        Assert.True(world.Now - world.Begun < TimeSpan.FromSeconds(2));
    }

    [Fact]
    [Trait("Spec", "PATH-63")]
    public void Ports_are_preserving_sequential_of_a_block_or_random()
    {
        var random = new Random(20_261_126);
        Assert.Equal(PortAllocation.Preserving, AllocationOf(NatMapping.EndpointIndependent, (_, inside) => inside).Allocation);
        NatProfile down = AllocationOf(NatMapping.AddressAndPortDependent, (count, _) => 40_000 - 4 * count);
        Assert.Equal((PortAllocation.Sequential, -4), (down.Allocation, down.Step));
        NatProfile block = AllocationOf(NatMapping.AddressAndPortDependent, (_, _) => random.Next(4096, 5120));
        Assert.Equal(PortAllocation.Block, block.Allocation);
        Assert.True(block.LowestPort is > 3000 and <= 4700 && block.HighestPort is >= 4500 and < 6500, block.ToString());
        Assert.Equal(PortAllocation.Random, AllocationOf(NatMapping.AddressAndPortDependent, (_, _) => random.Next(1024, 65_536)).Allocation);
        Assert.Equal(PortAllocation.Random, AllocationOf(NatMapping.EndpointIndependent, (_, _) => random.Next(1024, 65_536)).Allocation);
    }

    [Fact]
    public void Other_users_of_the_NAT_between_ours_do_not_hide_a_sequence()
    {
        int port = 30_000;
        var random = new Random(7);
        NatProfile profile = AllocationOf(NatMapping.AddressAndPortDependent, (_, _) => port += random.Next(3) == 0 ? 5 : 1);
        Assert.Equal((PortAllocation.Sequential, 1), (profile.Allocation, profile.Step));
        Assert.InRange(profile.Newest.Port, port - 5, port); // The knock took one more, which no server saw.
    }

    [Fact]
    public void A_server_with_one_socket_tells_how_ports_are_chosen_and_no_more()
    {
        using var world = new SurveyWorld(new VirtualNat(NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, (count, _) => 20_000 + count), default(ServerAlternates));

        NatReport report = world.Run();

        Assert.Equal((NatMapping.Unknown, NatFiltering.Unknown, PortAllocation.Sequential), (report.Profile.Mapping, report.Profile.Filtering, report.Profile.Allocation));
        Assert.False(report.HasOtherPort || report.HasOtherAddress);
    }

    [Fact]
    public void A_server_without_a_second_address_tells_a_symmetric_NAT_from_the_others()
    {
        var alternates = new ServerAlternates(SurveyWorld.OtherPort.Port, default);
        using var cone = new SurveyWorld(new VirtualNat(NatMapping.EndpointIndependent, NatFiltering.EndpointIndependent, (_, inside) => inside), alternates);
        using var symmetric = new SurveyWorld(new VirtualNat(NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, (count, _) => 20_000 + count), alternates);

        NatProfile easy = cone.Run().Profile, hard = symmetric.Run().Profile;

        Assert.Equal((NatMapping.EndpointIndependent, NatFiltering.AddressDependent), (easy.Mapping, easy.Filtering)); // The stricter that it may be.
        Assert.Equal((NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent), (hard.Mapping, hard.Filtering));
    }

    [Fact]
    public void Without_fresh_sockets_the_mapping_is_known_all_the_same()
    {
        using var world = new SurveyWorld(new VirtualNat(NatMapping.AddressDependent, NatFiltering.AddressDependent, (count, _) => 20_000 + count), sockets: 1);
        Assert.Equal(NatMapping.AddressDependent, world.Run().Profile.Mapping);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Loss_delays_and_does_not_mislead(int every)
    {
        for (int phase = 0; phase < every; phase++)
        {
            using var world = new SurveyWorld(new VirtualNat(NatMapping.AddressAndPortDependent, NatFiltering.EndpointIndependent, (count, _) => 20_000 + count));
            world.Arrives = number => number % every != phase;
            NatReport report = world.Run();
            Assert.Equal(NatMapping.AddressAndPortDependent, report.Profile.Mapping);
            Assert.Equal(NatFiltering.EndpointIndependent, report.Profile.Filtering);
        }
    }

    // spec: CONST-221
    [Fact]
    public void Silence_ends_a_survey_with_nothing_and_after_few_datagrams()
    {
        using var world = new SurveyWorld(new VirtualNat(NatMapping.EndpointIndependent, NatFiltering.EndpointIndependent, (_, inside) => inside));
        world.Arrives = _ => false;

        NatReport report = world.Run();

        Assert.True(report.Observed.IsNone && report.Profile == default);
        Assert.Equal(7 * 4, world.Sent);
    }

    // spec: RDV-21
    [Fact]
    public void A_network_that_alters_answers_misleads_at_most()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            using var world = new SurveyWorld(new VirtualNat(NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, (_, inside) => inside), seed: seed);
            world.Alter = datagram =>
            {
                byte[] altered = [.. datagram];
                if (random.Next(2) == 0)
                    altered[random.Next(12, altered.Length)] ^= (byte)random.Next(1, 256);
                return altered;
            };
            world.Run();
            Assert.True(world.Sent <= 7 * 4 + 3 * 3, $"seed {seed}: {world.Sent} datagrams");
        }
    }

    private static NatProfile AllocationOf(NatMapping mapping, Func<int, ushort, int> allocate)
    {
        using var world = new SurveyWorld(new VirtualNat(mapping, NatFiltering.AddressAndPortDependent, allocate));
        return world.Run().Profile;
    }
}
