using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

/// <summary>More than one NAT before a peer, the same NAT before both, and mappings that do not last.</summary>
public sealed class NatTopologyScenarios
{
    private static readonly NatBehaviour s_restricted = new();
    private static readonly NatBehaviour s_random = new() { Mapping = NatMapping.AddressAndPortDependent, Allocation = PortAllocation.Random };
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Peers_in_one_network_take_the_direct_way_whatever_their_NAT_does()
    {
        using NatWorld world = new(1, new() { First = [s_random], AreNeighbours = true });
        Assert.True(world.RunUntil(() => world.IsDirect, s_second));
        Assert.True(world.Initiator.Connection.PrimaryPath!.Value.Address.Remote.HasSameHost(world.Hosts[1].Own[0]));
    }

    [Fact]
    public void Two_NATs_one_behind_the_other_are_passed_like_one()
    {
        using NatWorld world = new(2, new() { First = [s_restricted, s_restricted], Second = [s_restricted] });
        Assert.True(world.RunUntil(() => world.IsDirect, s_second));
    }

    // spec: PATH-71
    [Fact]
    public void A_home_router_behind_a_providers_random_NAT_is_punched_through()
    {
        using NatWorld world = new(3, new() { First = [s_restricted, s_random], Second = [s_restricted] });
        Assert.True(world.RunUntil(() => world.IsDirect, 5 * s_second));
    }

    [Fact]
    public void Peers_behind_one_providers_NAT_that_hairpins_reach_each_other()
    {
        using NatWorld world = new(4, new() { First = [s_restricted], Second = [s_restricted], Common = new() { Filtering = NatFiltering.EndpointIndependent, Hairpins = true } });
        Assert.True(world.RunUntil(() => world.IsDirect, s_second));
    }

    [Fact]
    public void Peers_behind_one_providers_NAT_that_does_not_hairpin_use_the_relay()
    {
        using NatWorld world = new(5, new() { First = [s_restricted], Second = [s_restricted], Common = new() });
        world.RunFor(30 * s_second);
        Assert.True(world.IsConnected);
        Assert.False(world.IsDirect);
    }

    [Fact]
    public void Mappings_that_last_20_seconds_are_kept_by_a_session_that_says_nothing()
    {
        NatBehaviour brief = s_restricted with { Lifetime = TimeSpan.FromSeconds(20) };
        using NatWorld world = new(6, new() { First = [brief], Second = [brief] });
        Assert.True(world.RunUntil(() => world.IsDirect, s_second));
        world.RunFor(TimeSpan.FromMinutes(10));
        Assert.True(world.IsDirect);
        Assert.Single(world.Initiator.Events.OfType<PrimaryPathChanged>(), change => change.Path.Kind == Protocol.Paths.PathKind.Direct);
    }
}
