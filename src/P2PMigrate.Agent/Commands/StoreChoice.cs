using System.CommandLine;
using System.Globalization;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary>The option <c>--store-size</c>: what the content of earlier migrations may take of the disk.</summary>
internal sealed class StoreChoice
{
    /// <summary>For a command's list.</summary>
    public Option<string?> Option { get; } = new("--store-size")
    {
        Description = "Keep at most so much of what is sent and received, so that a container that comes back brings only what changed: bytes, or a number with M or G. "
            + "0 keeps nothing. By default a tenth of the disk, at most 8G.",
        HelpName = "8G",
    };

    /// <summary><paramref name="environment"/> with what the user chose.</summary>
    public MigrationEnvironment Apply(ParseResult parsed, MigrationEnvironment environment) =>
        parsed.GetValue(Option) is { } text ? environment with { StoreSize = BytesOf(text) } : environment;

    /// <summary>Reads <c>8G</c>, <c>1.5G</c>, <c>500M</c> or a number of bytes.</summary>
    internal static long BytesOf(string text)
    {
        (string digits, double unit) = text switch
        {
            [.. var head, 'k' or 'K'] => (head, 1L << 10),
            [.. var head, 'M'] => (head, 1L << 20),
            [.. var head, 'G'] => (head, 1L << 30),
            [.. var head, 'T'] => (head, 1L << 40),
            _ => (text, 1),
        };
        bool isNumber = double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number);
        double bytes = number * unit;
        return isNumber && bytes is >= 0 and < long.MaxValue
            ? (long)bytes : throw new UsageException($"--store-size {text} is no size: type bytes, with M or G, such as 8G, or 0 to keep nothing.");
    }
}
