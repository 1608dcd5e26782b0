namespace P2PMigrate.Lab;

/// <summary>Whether both hosts are behind one router: the source's.</summary>
public enum NatSharing
{
    /// <summary>Each has its own.</summary>
    None,

    /// <summary>They are on one LAN.</summary>
    OneLan,

    /// <summary>They are on one LAN that keeps its members apart, as a guests' network does: each sees the router only.</summary>
    ApartOnOneLan,
}
