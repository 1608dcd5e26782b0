using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Punching;

namespace P2PMigrate.Protocol.Tests.Punching;

[Trait("Spec", "PATH-70")]
public sealed class PunchPlanTests
{
    private static readonly NatProfile s_restricted = new() { Mapping = NatMapping.EndpointIndependent, Filtering = NatFiltering.AddressAndPortDependent };

    [Fact]
    public void The_parts_of_two_peers_fit_whatever_their_NATs_are()
    {
        foreach (NatProfile one in Profiles())
        {
            foreach (NatProfile other in Profiles())
            {
                PunchMethod counterpart = PunchPlan.Choose(one, other, ConnectionRole.Initiator) switch
                {
                    PunchMethod.Seek => PunchMethod.Open,
                    PunchMethod.Open => PunchMethod.Seek,
                    PunchMethod.Lead => PunchMethod.Follow,
                    var same => same,
                };
                Assert.Equal(counterpart, PunchPlan.Choose(other, one, ConnectionRole.Responder));
            }
        }
    }

    [Fact]
    public void What_nobody_knows_is_not_punched() => Assert.Equal(PunchMethod.None, PunchPlan.Choose(s_restricted, default, ConnectionRole.Initiator));

    [Fact]
    public void A_filter_that_is_not_known_counts_as_strict()
    {
        NatProfile varying = Varying(PortAllocation.Unknown);
        Assert.Equal(PunchMethod.Seek, PunchPlan.Choose(s_restricted with { Filtering = NatFiltering.Unknown }, varying, ConnectionRole.Initiator));
        Assert.Equal(PunchMethod.None, PunchPlan.Choose(s_restricted with { Filtering = NatFiltering.AddressDependent }, varying, ConnectionRole.Initiator));
    }

    private static IEnumerable<NatProfile> Profiles() =>
        from mapping in Enum.GetValues<NatMapping>()
        from filtering in Enum.GetValues<NatFiltering>()
        from allocation in Enum.GetValues<PortAllocation>()
        select new NatProfile { Mapping = mapping, Filtering = filtering, Allocation = allocation, Step = 1, LowestPort = 2048, HighestPort = 3071 };

    private static NatProfile Varying(PortAllocation allocation) => new() { Mapping = NatMapping.AddressAndPortDependent, Allocation = allocation };
}
