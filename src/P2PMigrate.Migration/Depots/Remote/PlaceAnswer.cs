using System.Text;
using P2PMigrate.Migration.Control;

namespace P2PMigrate.Migration.Depots.Remote;

/// <summary>How a request ended; the numbers are those on the wire.</summary>
internal enum PlaceVerdict : byte
{
    /// <summary>It was done. The content of what was read, or the names that were listed, follow.</summary>
    Yes = 1,

    /// <summary>There is an object of the name already, or none.</summary>
    No = 2,

    /// <summary>The place cannot be used; the reason says why.</summary>
    Refused = 3,
}

/// <summary>The answer to a request. <paramref name="Reason"/> is for a person, and empty unless it was refused.</summary>
// spec: DEP-51
internal readonly record struct PlaceAnswer(PlaceVerdict Verdict, string Reason = "")
{
    private const char Separator = '\n';

    /// <summary>Most bytes of an answer without what may follow it.</summary>
    // spec: CONST-470
    public const int LengthMax = ControlLimits.MaxRecordLength;

    private const int ReasonLengthMax = (LengthMax - 1) / 4; // whatever the letters are

    /// <summary>The bytes of the answer.</summary>
    public byte[] Encode() => [(byte)Verdict, .. Encoding.UTF8.GetBytes(WireText.Fit(Reason, ReasonLengthMax))];

    /// <summary>Reads an answer; false for another verdict, and for words where there are none to be said.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out PlaceAnswer answer)
    {
        answer = default;
        if (bytes.IsEmpty || bytes.Length > LengthMax)
            return false;
        answer = new PlaceAnswer((PlaceVerdict)bytes[0], WireText.Printable(Encoding.UTF8.GetString(bytes[1..])));
        return answer.Verdict switch
        {
            PlaceVerdict.Yes or PlaceVerdict.No => bytes.Length == 1,
            PlaceVerdict.Refused => true,
            _ => false,
        };
    }

    /// <summary>The bytes of a list of names.</summary>
    public static byte[] EncodeNames(IEnumerable<string> names) => Encoding.ASCII.GetBytes(string.Join(Separator, names));

    /// <summary>Reads the names that begin with <paramref name="prefix"/>; false unless each is the name of such an object, and they are in order.</summary>
    public static bool TryDecodeNames(ReadOnlySpan<byte> bytes, string prefix, out IReadOnlyList<string> names)
    {
        string[] read = bytes.IsEmpty ? [] : Encoding.ASCII.GetString(bytes).Split(Separator);
        names = read;
        for (int i = 0; i < read.Length; i++)
        {
            if (!ObjectName.IsObject(read[i]) || !read[i].StartsWith(prefix, StringComparison.Ordinal) || (i > 0 && string.CompareOrdinal(read[i - 1], read[i]) >= 0))
                return false;
        }

        return true;
    }
}
