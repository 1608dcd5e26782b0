using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Protocol.Punching;

/// <summary>Which <see cref="PunchMethod"/> two NATs call for. Both peers decide by the same two profiles, so their parts fit.</summary>
internal static class PunchPlan
{
    /// <summary>The part of the peer behind <paramref name="local"/>.</summary>
    // spec: PATH-70, PATH-73
    public static PunchMethod Choose(in NatProfile local, in NatProfile remote, ConnectionRole role)
    {
        if (local.Mapping == NatMapping.Unknown || remote.Mapping == NatMapping.Unknown)
            return PunchMethod.None;
        bool isLocalFixed = local.Mapping == NatMapping.EndpointIndependent;
        bool isRemoteFixed = remote.Mapping == NatMapping.EndpointIndependent;
        if (isLocalFixed && isRemoteFixed)
            return PunchMethod.None;
        if (isLocalFixed)
            return LetsStrangersIn(local) ? PunchMethod.None : PunchMethod.Seek;
        if (isRemoteFixed)
            return LetsStrangersIn(remote) ? PunchMethod.None : PunchMethod.Open;
        return ChooseForTwo(local.Allocation, remote.Allocation, role);
    }

    // Whose filter does not look at ports needs to know none: the other one comes in from the port that it happens to get.
    private static bool LetsStrangersIn(in NatProfile nat) =>
        nat.Filtering is NatFiltering.EndpointIndependent or NatFiltering.AddressDependent;

    private static PunchMethod ChooseForTwo(PortAllocation local, PortAllocation remote, ConnectionRole role)
    {
        if (local == PortAllocation.Sequential && remote == PortAllocation.Sequential)
            return role == ConnectionRole.Initiator ? PunchMethod.Lead : PunchMethod.Follow;
        return HasFewPorts(local) && HasFewPorts(remote) ? PunchMethod.Meet : PunchMethod.None;
    }

    private static bool HasFewPorts(PortAllocation allocation) => allocation is PortAllocation.Sequential or PortAllocation.Block;
}
