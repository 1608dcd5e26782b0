using System.Globalization;
using System.Text;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// An HTTP/1.1 response as far as gateways use it: status, headers, a body that is counted, chunked, or ends with the
/// connection. SSDP's datagrams are the same without a body.
/// </summary>
internal sealed class HttpReply
{
    /// <summary>Bytes of a whole response at most.</summary>
    // spec: CONST-204
    public const int MaxSize = 65_536;

    private const int MaxHeadLength = 8_192;
    private readonly string[] _lines;

    private HttpReply(string[] lines, int status, byte[] body)
    {
        _lines = lines;
        Status = status;
        Body = body;
    }

    /// <summary>The three digits.</summary>
    public int Status { get; }

    /// <summary>The content; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>A header's value; null without such a header. The first counts.</summary>
    public string? Header(string name) => Find(_lines, name);

    /// <summary>
    /// Reads a response. <see cref="Refusal.Truncated"/> means that more has to come; with <paramref name="isClosed"/> that
    /// nothing more will, and then a body without a length is whole.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, bool isClosed, out HttpReply? reply, out Refusal refusal)
    {
        reply = null;
        int headLength = HeadLength(bytes, out int bodyAt);
        if (headLength < 0)
        {
            refusal = bytes.Length > MaxHeadLength ? Refusal.OverLimit : Refusal.Truncated;
            return false;
        }

        string[] lines = Encoding.Latin1.GetString(bytes[..headLength]).Split('\n', StringSplitOptions.TrimEntries);
        if (!TryReadStatus(lines[0], out int status))
        {
            refusal = Refusal.WrongType;
            return false;
        }

        refusal = ReadBody(lines, bytes[bodyAt..], isClosed, out byte[] body);
        if (refusal == Refusal.None)
            reply = new HttpReply(lines, status, body);
        return refusal == Refusal.None;
    }

    private static int HeadLength(ReadOnlySpan<byte> bytes, out int bodyAt)
    {
        ReadOnlySpan<byte> searched = bytes[..Math.Min(bytes.Length, MaxHeadLength)];
        int strict = searched.IndexOf("\r\n\r\n"u8);
        int loose = searched.IndexOf("\n\n"u8);
        bool isLoose = loose >= 0 && (strict < 0 || loose < strict);
        bodyAt = isLoose ? loose + 2 : strict + 4;
        return isLoose ? loose : strict;
    }

    // "HTTP/1.1 200 OK"
    private static bool TryReadStatus(string line, out int status)
    {
        status = 0;
        return line.StartsWith("HTTP/1.", StringComparison.Ordinal) && line.Length >= 12 && line[8] == ' '
            && int.TryParse(line.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out status);
    }

    private static Refusal ReadBody(string[] lines, ReadOnlySpan<byte> rest, bool isClosed, out byte[] body)
    {
        body = [];
        if (Find(lines, "Transfer-Encoding") is { } encoding && encoding.Contains("chunked", StringComparison.OrdinalIgnoreCase))
            return ReadChunks(rest, out body);
        if (Find(lines, "Content-Length") is { } text)
        {
            if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint length))
                return Refusal.BadValue;
            if (length > MaxSize)
                return Refusal.OverLimit;
            if (rest.Length < length)
                return Refusal.Truncated;
            body = rest[..(int)length].ToArray();
            return Refusal.None;
        }

        if (!isClosed)
            return Refusal.Truncated;
        body = rest.ToArray();
        return Refusal.None;
    }

    private static Refusal ReadChunks(ReadOnlySpan<byte> rest, out byte[] body)
    {
        body = [];
        var content = new List<byte>();
        while (true)
        {
            int end = rest.IndexOf((byte)'\n');
            if (end < 0)
                return rest.Length > 64 ? Refusal.BadValue : Refusal.Truncated;
            string line = Encoding.Latin1.GetString(rest[..end]).Split(';')[0].Trim();
            if (line.Length > 8 || !uint.TryParse(line, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint size))
                return Refusal.BadValue;
            if (size + (long)content.Count > MaxSize)
                return Refusal.OverLimit;
            rest = rest[(end + 1)..];
            if (size == 0)
                break;
            if (rest.Length < size + 1)
                return Refusal.Truncated;
            content.AddRange(rest[..(int)size]);
            rest = rest[(int)size..];
            int newline = rest.IndexOf((byte)'\n');
            if (newline is < 0 or > 1)
                return newline < 0 && rest.Length < 2 ? Refusal.Truncated : Refusal.BadValue;
            rest = rest[(newline + 1)..];
        }

        body = [.. content];
        return Refusal.None;
    }

    private static string? Find(string[] lines, string name)
    {
        foreach (string line in lines)
        {
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                return line[(name.Length + 1)..].Trim();
        }

        return null;
    }
}
