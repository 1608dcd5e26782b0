using System.Globalization;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Lab.Links;

/// <summary>
/// Link faults as people write them: <c>delay=25ms jitter=5ms order=kept loss=1% burst=0.5%,20%,100% duplicate=0.1%
/// reorder=1% corrupt=0.1% mtu=1500 rate=200mbit queue=1bdp</c>. What is not named stays as it was. A queue is a time, a
/// length (<c>64kb</c>), or a number of round trips of this link (<c>1bdp</c>).
/// </summary>
public static class LinkText
{
    /// <summary>Reads <paramref name="text"/> on top of <paramref name="before"/>; throws a <see cref="LabException"/> for what it does not know.</summary>
    public static LinkFaults Parse(string text, LinkFaults before)
    {
        LinkFaults faults = before;
        string? queue = null;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = word.Split('=', 2);
            string value = pair.Length == 2 ? pair[1] : throw Unknown(word);
            if (pair[0] == "queue")
                queue = value;
            else
                faults = With(faults, pair[0], value);
        }

        return queue is null ? faults : faults with { Queue = QueueOf(queue, faults) };
    }

    /// <summary>A link without delay, loss or limit: where texts begin.</summary>
    public static LinkFaults Wire { get; } = new() { Delay = TimeSpan.Zero };

    private static LinkFaults With(LinkFaults faults, string name, string value) => name switch
    {
        "delay" => faults with { Delay = Time(value) },
        "jitter" => faults with { Jitter = Time(value) },
        "order" => faults with { KeepsOrder = value == "kept" },
        "loss" => faults with { Loss = Share(value) },
        "burst" => faults with { Bursts = Burst(value) },
        "duplicate" => faults with { Duplicate = Share(value) },
        "reorder" => faults with { Reorder = Share(value) },
        "corrupt" => faults with { Corrupt = Share(value) },
        "mtu" => faults with { Mtu = (int)Number(value, "") },
        "rate" => faults with { Rate = value.EndsWith("gbit", StringComparison.Ordinal) ? Number(value, "gbit") * 125e6 : Number(value, "mbit") * 125e3 },
        _ => throw Unknown(name),
    };

    private static TimeSpan QueueOf(string text, LinkFaults faults) =>
        text.EndsWith("bdp", StringComparison.Ordinal) ? faults.Delay * 2 * Number(text, "bdp")
        : text.EndsWith("kb", StringComparison.Ordinal) && faults.Rate > 0 ? TimeSpan.FromSeconds(Number(text, "kb") * 1000 / faults.Rate)
        : Time(text);

    private static BurstLoss? Burst(string text) => text == "no" ? null
        : text.Split(',') is [string begin, string end, string loss] ? new BurstLoss(Share(begin), Share(end), Share(loss))
        : throw Unknown(text);

    private static TimeSpan Time(string text) =>
        text.EndsWith("us", StringComparison.Ordinal) ? TimeSpan.FromMicroseconds(Number(text, "us")) : TimeSpan.FromMilliseconds(Number(text, "ms"));

    private static double Share(string text) => text == "0" ? 0 : Number(text, "%") / 100;

    private static double Number(string text, string unit) =>
        text.EndsWith(unit, StringComparison.Ordinal)
        && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            ? number
            : throw Unknown(text);

    private static LabException Unknown(string text) => new($"`{text}` says nothing about a link; try: delay=25ms loss=1% rate=200mbit queue=1bdp mtu=1500");
}
