namespace P2PMigrate.PacketBench;

/// <summary>Nanoseconds that a data packet cost, both ends; <see cref="Payload"/> is in bytes.</summary>
internal sealed record PacketCost(
    double Payload, double Write, double Build, double Open, double Read, double Answer, double Acknowledge, double Aead, double Copy)
{
    public static IReadOnlyList<(string Name, Func<PacketCost, double> Part)> Parts { get; } =
    [
        ("sender: taking from the application", cost => cost.Write),
        ("sender: building and sealing", cost => cost.Build),
        ("sender: acknowledgements", cost => cost.Acknowledge),
        ("receiver: opening and sorting", cost => cost.Open),
        ("receiver: giving to the application", cost => cost.Read),
        ("receiver: acknowledging", cost => cost.Answer),
        ("all", cost => cost.All),
        ("beside it: AEAD, sealing and opening", cost => cost.Aead),
        ("beside it: one copy, from memory that is cold", cost => cost.Copy),
    ];

    private double All => Write + Build + Open + Read + Answer + Acknowledge;
}
