namespace P2PMigrate.Lab;

/// <summary>What the map of a lab is drawn from; kept in its record, so that whoever finds the lab draws the same.</summary>
internal sealed record LabPlan(NatKind SourceNat, NatKind TargetNat, NatSharing Sharing, string? RendezvousLeg)
{
    public static LabPlan Of(LabOptions options) => new(options.SourceNat, options.TargetNat, options.Sharing, options.RendezvousLeg);
}
