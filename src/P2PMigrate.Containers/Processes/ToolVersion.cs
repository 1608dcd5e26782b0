using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Processes;

/// <summary>The version of CRIU, a runtime or the kernel: <c>4.2.1</c>, <c>1.3.6+ds1</c>, <c>6.18.44-cloud</c>. Compares by its numbers.</summary>
internal readonly record struct ToolVersion(int Major, int Minor, int Patch = 0) : IComparable<ToolVersion>
{
    private const int DigitsMax = 6;

    /// <summary>Finds the first <c>number.number[.number]</c> in what a program printed about itself.</summary>
    public static bool TryFind(ReadOnlySpan<char> text, out ToolVersion version)
    {
        version = default;
        for (int at = 0; at < text.Length; at++)
        {
            bool startsNumber = char.IsAsciiDigit(text[at]) && (at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1]));
            if (startsNumber && TryParseStart(text[at..], out version)) return true;
        }

        return false;
    }

    /// <summary>Asks a program, as nearly all answer, with <c>--version</c>.</summary>
    public static async Task<ToolVersion> AskAsync(string program, CancellationToken cancellationToken)
    {
        ToolResult result = await Tool.RunAsync(program, ["--version"], cancellationToken).ConfigureAwait(false);
        return TryFind(result.Require($"ask {program} for its version").Output, out ToolVersion version)
            ? version
            : throw new ContainerException($"`{program} --version` printed no version but \"{result.Output.Trim()}\".");
    }

    public int CompareTo(ToolVersion other) => (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));

    public static bool operator <(ToolVersion left, ToolVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ToolVersion left, ToolVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ToolVersion left, ToolVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ToolVersion left, ToolVersion right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Major}.{Minor}.{Patch}";

    private static bool TryParseStart(ReadOnlySpan<char> text, out ToolVersion version)
    {
        version = default;
        if (!TryTakeNumber(ref text, out int major) || !TryTakeDot(ref text) || !TryTakeNumber(ref text, out int minor)) return false;
        int patch = TryTakeDot(ref text) && TryTakeNumber(ref text, out int number) ? number : 0;
        version = new ToolVersion(major, minor, patch);
        return true;
    }

    private static bool TryTakeDot(ref ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] != '.') return false;
        text = text[1..];
        return true;
    }

    private static bool TryTakeNumber(ref ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        int digits = text.IndexOfAnyExceptInRange('0', '9');
        if (digits < 0) digits = text.Length;
        if (digits is 0 or > DigitsMax) return false;
        number = int.Parse(text[..digits], System.Globalization.CultureInfo.InvariantCulture);
        text = text[digits..];
        return true;
    }
}
