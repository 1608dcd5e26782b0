using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// The text form of a ticket: <c>p2pm1</c>, then base32 of the fields and a CRC-32C over them. The checksum finds every
/// change of a single character with certainty (it stays within two bytes); it guards against slips, not against malice.
/// </summary>
/// <remarks>spec: ID-10, ID-11.</remarks>
internal static class TicketText
{
    // 32 responder's public key | 16 secret | 8 expiry, Unix seconds | 1 length, then the rendezvous name in ASCII (0: none)
    // | 1 count, then that many addresses | 4 CRC-32C of everything before it

    /// <summary>What every ticket of this version starts with.</summary>
    public const string Prefix = "p2pm1";

    private const string Family = "p2pm";
    private const int ChecksumSize = 4;
    private const int MaxNameLength = byte.MaxValue;
    private const int MaxSize = PublicIdentity.Size + TicketSecret.Size + 8 + 1 + MaxNameLength + 1 + Ticket.MaxHints * NetworkAddress.MaxEncodedLength + ChecksumSize;
    private const int MaxLength = 5 + (MaxSize * 8 + 4) / 5;

    /// <summary>The word for <paramref name="ticket"/>.</summary>
    public static string Format(Ticket ticket)
    {
        if (ticket.Hints.Count > Ticket.MaxHints)
        {
            throw new InvalidOperationException($"A ticket holds at most {Ticket.MaxHints} hints.");
        }

        string name = ticket.Rendezvous?.ToString() ?? "";
        Span<byte> bytes = stackalloc byte[MaxSize];
        var writer = new WireWriter(bytes);
        writer.WriteBytes(ticket.Responder.Bytes);
        ticket.Secret.Write(writer.Free);
        writer.Advance(TicketSecret.Size);
        writer.WriteUInt64((ulong)ticket.ExpiresAtUnixSeconds);
        writer.WriteByte(checked((byte)name.Length));
        writer.WriteBytes(Encoding.ASCII.GetBytes(name));
        writer.WriteByte((byte)ticket.Hints.Count);
        foreach (NetworkAddress hint in ticket.Hints)
        {
            hint.Encode(ref writer);
        }

        writer.WriteUInt32(Checksum(bytes[..writer.Written]));
        return Prefix + Base32.Encode(bytes[..writer.Written]);
    }

    /// <summary>Reads a word, or says why it is none.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Ticket? ticket, out TicketError error)
    {
        ticket = null;
        ReadOnlySpan<char> word = text.AsSpan().Trim();
        error = CheckWord(word);
        if (error != TicketError.None)
        {
            return false;
        }

        if (!Base32.TryDecode(word[Prefix.Length..], out byte[] bytes) || !HasRightChecksum(bytes))
        {
            error = TicketError.Damaged;
            return false;
        }

        ticket = Read(bytes.AsSpan(0, bytes.Length - ChecksumSize));
        error = ticket is null ? TicketError.BadField : TicketError.None;
        return ticket is not null;
    }

    private static TicketError CheckWord(ReadOnlySpan<char> word) =>
        word.IsEmpty ? TicketError.Empty
        : !word.StartsWith(Family, StringComparison.Ordinal) ? TicketError.WrongPrefix
        : word.Length > MaxLength ? TicketError.TooLong
        : word.Length == Family.Length ? TicketError.Damaged
        : word[Family.Length] != Prefix[^1] ? TicketError.UnknownVersion
        : word[Prefix.Length..].ContainsAnyExcept(Base32.Digits) ? TicketError.WrongCharacter // spec: ID-11
        : TicketError.None;

    private static bool HasRightChecksum(ReadOnlySpan<byte> bytes) => bytes.Length > ChecksumSize
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ChecksumSize..]) == Checksum(bytes[..^ChecksumSize]);

    private static Ticket? Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        bool isComplete = reader.TryReadBytes(PublicIdentity.Size, out ReadOnlySpan<byte> key)
            & reader.TryReadBytes(TicketSecret.Size, out ReadOnlySpan<byte> secret)
            & reader.TryReadUInt64(out ulong expiry)
            & TryReadName(ref reader, out ServerName? rendezvous)
            & TryReadHints(ref reader, out NetworkAddress[] hints)
            & reader.IsAtEnd;
        return !isComplete || !PublicIdentity.TryCreate(key, out PublicIdentity? responder) ? null : new Ticket
        {
            Responder = responder,
            Rendezvous = rendezvous,
            Hints = hints,
            Secret = TicketSecret.Read(secret),
            ExpiresAtUnixSeconds = (long)expiry,
        };
    }

    private static bool TryReadName(ref WireReader reader, out ServerName? name)
    {
        name = null;
        if (!reader.TryReadByte(out byte length) || !reader.TryReadBytes(length, out ReadOnlySpan<byte> bytes))
        {
            return false;
        }

        string text = Encoding.ASCII.GetString(bytes);
        if (ServerName.TryParse(text, out ServerName parsed) && parsed.ToString() == text)
        {
            name = parsed;
        }

        return name is not null || length == 0;
    }

    private static bool TryReadHints(ref WireReader reader, out NetworkAddress[] hints)
    {
        hints = [];
        if (!reader.TryReadByte(out byte count) || count > Ticket.MaxHints)
        {
            return false;
        }

        hints = new NetworkAddress[count];
        foreach (ref NetworkAddress hint in hints.AsSpan())
        {
            if (!NetworkAddress.TryDecode(ref reader, out hint))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>CRC-32C.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
