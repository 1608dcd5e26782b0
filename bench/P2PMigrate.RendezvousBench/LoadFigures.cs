using System.Globalization;
using System.Text;
using System.Text.Json;

namespace P2PMigrate.RendezvousBench;

/// <summary>What a run showed.</summary>
public sealed record LoadFigures
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public required int Peers { get; init; }

    /// <summary>Peers that the server had after all came, after the hold, and at the end of everything.</summary>
    public required int Registered { get; init; }

    public required int RegisteredAfterHold { get; init; }

    public required int RegisteredAtEnd { get; init; }

    /// <summary>How often a peer found the server unreachable.</summary>
    public required int Unreachable { get; init; }

    public required double RampSeconds { get; init; }

    public required double RegistrationCpuMicroseconds { get; init; }

    public required double HoldSeconds { get; init; }

    public required double ManagedBytesPerPeer { get; init; }

    public required double ResidentBytesPerPeer { get; init; }

    public required long EmptyResidentBytes { get; init; }

    public required double HoldCpuPercentOfCore { get; init; }

    public required double HoldCpuMicrosecondsPerPeerAndSecond { get; init; }

    public required double RequestsPerSecond { get; init; }

    public required double AnswersPerSecond { get; init; }

    public required IReadOnlyList<OfferFigures> Offers { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        void Row(string what, string figure) => text.AppendLine(CultureInfo.InvariantCulture, $"| {what} | {figure} |");
        string Number(double value, string unit) => string.Create(CultureInfo.InvariantCulture, $"{value:#,0.##} {unit}");
        Row("what", "figure");
        Row("---", "---");
        Row("peers that came; registered then; after the hold; at the end", string.Create(CultureInfo.InvariantCulture, $"{Peers}; {Registered}; {RegisteredAfterHold}; {RegisteredAtEnd}"));
        Row("peers that found the server unreachable", Unreachable.ToString(CultureInfo.InvariantCulture));
        Row("all came within", Number(RampSeconds, "s"));
        Row("server CPU for a registration", Number(RegistrationCpuMicroseconds, "µs"));
        Row("hold", Number(HoldSeconds, "s"));
        Row("requests; answers", $"{Number(RequestsPerSecond, "/s")}; {Number(AnswersPerSecond, "/s")}");
        Row("server CPU meanwhile", Number(HoldCpuPercentOfCore, "% of a core"));
        Row("the same for a peer", Number(HoldCpuMicrosecondsPerPeerAndSecond, "µs each second"));
        Row("server memory for a peer: managed; resident", $"{Number(ManagedBytesPerPeer, "B")}; {Number(ResidentBytesPerPeer, "B")}");
        Row("resident before the first peer", Number(EmptyResidentBytes / 1048576.0, "MiB"));
        text.AppendLine().AppendLine("| offers/s | begun | delivered | answered | delivery p50 | p99 | answer p50 | p99 | server CPU each |").AppendLine("|---|---|---|---|---|---|---|---|---|");
        foreach (OfferFigures rate in Offers)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {rate.PerSecond} | {rate.Begun} | {rate.Delivered} | {rate.Answered} | {rate.DeliveredMedian:0.00} ms | {rate.DeliveredP99:0.00} ms | {rate.AnsweredMedian:0.00} ms | {rate.AnsweredP99:0.00} ms | {rate.ServerCpuMicrosecondsPerOffer:0} µs |");
        }

        return text.ToString();
    }
}
