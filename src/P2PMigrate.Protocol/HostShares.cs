namespace P2PMigrate.Protocol;

/// <summary>
/// What the networks of IPv6 above a host may have, as so many times what a host may: a site, and an area, which is all of one customer or
/// the pool from which a carrier gives sites to thousands.
/// </summary>
// spec: RDV-51, CONST-292
internal readonly record struct HostShares(int PerSite, int PerArea)
{
    /// <summary>What holds where nobody says otherwise.</summary>
    public static HostShares Usual => new(4, 64);
}
