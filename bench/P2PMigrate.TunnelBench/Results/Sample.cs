using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Results;

/// <summary>
/// What one run of a contender showed, in the window unless it says otherwise; CPU in seconds per 10^9 bytes of payload. <paramref name="Ends"/>:
/// both ends' programs and what the kernel does on their account. <paramref name="SoftInterrupts"/>: the kernel's threads that receive packets.
/// <paramref name="Others"/>: the rest of the machine, the bench and whatever else ran. <paramref name="WithStartAndEnd"/>: as the first two, for the
/// whole transfer. <paramref name="PayloadShare"/>: payload bytes for each byte that arrived.
/// </summary>
internal sealed record Sample(
    int Round, double BytesPerSecond, double Ends, double SoftInterrupts, double Others, double WithStartAndEnd, double PayloadShare)
{
    /// <summary>What the transfer cost.</summary>
    public double Cpu => Ends + SoftInterrupts;

    public static Sample Of(int round, Transfer transfer)
    {
        Usage window = transfer.Window;
        double gigabytes = transfer.WindowPayload / 1e9;
        return new Sample(
            round,
            transfer.WindowPayload / window.Time.TotalSeconds,
            window.Ends.TotalSeconds / gigabytes,
            window.SoftInterrupts.TotalSeconds / gigabytes,
            window.Others.TotalSeconds / gigabytes,
            (transfer.Whole.Ends + transfer.Whole.SoftInterrupts).TotalSeconds / (transfer.Payload / 1e9),
            transfer.PayloadShare);
    }
}
