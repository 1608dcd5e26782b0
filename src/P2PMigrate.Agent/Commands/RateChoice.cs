using System.CommandLine;
using System.Globalization;

namespace P2PMigrate.Agent.Commands;

/// <summary>The option <c>--max-rate</c>: how much of the link a migration may take.</summary>
// spec: MIG-122, CONST-392
internal sealed class RateChoice
{
    /// <summary>Bits a second: with less, no migration comes to an end.</summary>
    internal const double Least = 100e3;

    /// <summary>Bits a second: more is none.</summary>
    internal const double Most = 1e12;

    private const double BitsPerByte = 8;

    /// <summary>For a command's list.</summary>
    public Option<string?> Option { get; } = new("--max-rate")
    {
        Description = "Send no more than this, in bits a second: a number with k, M or G. By default as much as the link carries.",
        HelpName = "50M",
    };

    /// <summary>What the user chose, in bytes a second; null for no limit.</summary>
    public double? Of(ParseResult parsed) => parsed.GetValue(Option) is { } text ? BitsPerSecond(text) / BitsPerByte : null;

    /// <summary>Reads <c>50M</c>, <c>1.5G</c>, <c>800k</c> or a number of bits.</summary>
    internal static double BitsPerSecond(string text)
    {
        (string digits, double unit) = text switch
        {
            [.. var head, 'k' or 'K'] => (head, 1e3),
            [.. var head, 'M'] => (head, 1e6),
            [.. var head, 'G'] => (head, 1e9),
            _ => (text, 1),
        };
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            throw new UsageException($"--max-rate {text} is no rate: type bits a second, with k, M or G, such as 50M for 50 Mbit/s.");
        double rate = number * unit;
        return rate is >= Least and <= Most
            ? rate : throw new UsageException($"--max-rate {text} is {(rate < Least ? "too little" : "no limit at all")}: 100k to 1000G bits a second are possible.");
    }
}
