using System.Globalization;
using System.Text;

namespace P2PMigrate.Migration.Depots;

/// <summary>What a whole dump consists of.</summary>
/// <param name="Parts">Parts of its archive.</param>
/// <param name="Packs">The packs whose content the archive leaves out.</param>
// spec: DEP-22
internal sealed record DumpContents(int Parts, IReadOnlyList<string> Packs)
{
    /// <summary>For the place: the number of parts, and a line for each pack.</summary>
    public static byte[] Write(int parts, IReadOnlyList<string> packs) =>
        Encoding.ASCII.GetBytes(string.Join('\n', packs.Prepend(parts.ToString(CultureInfo.InvariantCulture))));

    /// <summary>From the place; null when it makes no sense.</summary>
    public static DumpContents? TryRead(byte[]? content)
    {
        string[] lines = content is null ? [] : Encoding.ASCII.GetString(content).Split('\n');
        return lines.Length > 0 && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out int parts) && lines.Skip(1).All(Depot.IsId)
            ? new DumpContents(parts, lines[1..]) : null;
    }
}
