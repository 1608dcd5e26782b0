using P2PMigrate.Lab;

namespace P2PMigrate.MatrixBench;

/// <summary>Two kinds of sites, of which the first dials and the second is dialled; or both behind one router of the first kind.</summary>
internal sealed record Cell(NatKind Source, NatKind Target, NatSharing Sharing = NatSharing.None)
{
    private static readonly (NatSharing Sharing, string Suffix)[] s_shared = [(NatSharing.OneLan, "@one-lan"), (NatSharing.ApartOnOneLan, "@apart")];

    /// <summary>Such as <c>open:symmetric</c>, or <c>symmetric@one-lan</c>, or <c>full-cone@apart</c>.</summary>
    public string Name => Sharing == NatSharing.None
        ? $"{Source}:{Target}"
        : Source + s_shared.Single(shared => shared.Sharing == Sharing).Suffix;

    /// <summary>Every ordered pair, and the common routers that two peers may share.</summary>
    public static IReadOnlyList<Cell> All(IReadOnlyList<NatKind> kinds) =>
    [
        .. kinds.SelectMany(source => kinds.Select(target => new Cell(source, target))),
        .. kinds.Intersect([NatKind.PortRestricted, NatKind.Symmetric]).Select(kind => new Cell(kind, kind, NatSharing.OneLan)),
        .. kinds.Intersect([NatKind.FullCone, NatKind.PortRestricted]).Select(kind => new Cell(kind, kind, NatSharing.ApartOnOneLan)),
    ];

    public static Cell Parse(string name)
    {
        foreach ((NatSharing sharing, string suffix) in s_shared)
        {
            if (!name.EndsWith(suffix, StringComparison.Ordinal)) continue;
            NatKind common = NatKind.Parse(name[..^suffix.Length]);
            return new Cell(common, common, sharing);
        }

        string[] kinds = name.Split(':');
        return kinds.Length == 2 ? new Cell(NatKind.Parse(kinds[0]), NatKind.Parse(kinds[1])) : throw new LabException($"`{name}` is no cell: KIND:KIND, KIND@one-lan or KIND@apart");
    }

    public LabOptions Options(string? leg) => new() { SourceNat = Source, TargetNat = Target, Sharing = Sharing, RendezvousLeg = leg };
}
