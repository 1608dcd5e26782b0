using System.Text;

namespace P2PMigrate.Migration.Control;

/// <summary>Text that crosses the wire. Ours is cut to fit; the peer's is cut and made harmless for a terminal.</summary>
internal static class WireText
{
    /// <summary>Our own text, no longer than the peer accepts.</summary>
    public static string Fit(string text, int length = ControlLimits.MaxTextLength) =>
        text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");

    /// <summary>The peer's words: no control characters, no line ends, not longer than we want to show.</summary>
    public static string Printable(string text, int length = ControlLimits.MaxTextLength)
    {
        var printable = new StringBuilder(Math.Min(text.Length, length));
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (printable.Length >= length)
                break;
            printable.Append(Rune.IsControl(rune) || rune == Rune.ReplacementChar ? " " : rune.ToString());
        }

        return printable.ToString();
    }
}
