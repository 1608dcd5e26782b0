using System.Buffers.Binary;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The bytes of a <see cref="HandshakePayload"/>: fields of type (one byte), length (two) and value, then zeros. A field
/// of an unknown type is skipped, so that later revisions can say more; a known one comes at most once.
/// </summary>
/// <remarks>spec: HS-20.</remarks>
internal static class HandshakePayloadCodec
{
    private const byte Padding = 0;
    private const byte RevisionField = 1;
    private const byte TimestampField = 2;
    private const byte TicketField = 3;
    private const byte SuitesField = 4;
    private const byte CandidatesField = 5;
    private const byte ParametersField = 6;
    private const byte ConnectionIdField = 7;
    private const byte VerdictField = 8;
    private const byte NatField = 9;
    private const int KnownFields = 9;

    private const int MaxCandidatesLength = Candidate.MaxCount * Candidate.MaxEncodedLength;

    /// <summary>Writes <see cref="HandshakeHeader.PayloadSize"/> bytes; that is enough for a payload within its limits.</summary>
    public static void Encode(HandshakePayload payload, Span<byte> destination)
    {
        destination = destination[..HandshakeHeader.PayloadSize];
        destination.Clear();
        var writer = new WireWriter(destination);
        WriteField(ref writer, RevisionField, sizeof(ushort), payload.Revision);
        WriteField(ref writer, TimestampField, sizeof(ulong), payload.Timestamp);
        if (payload.Ticket is { } ticket)
        {
            Span<byte> id = stackalloc byte[TicketId.Size];
            ticket.Write(id);
            WriteField(ref writer, TicketField, id);
        }

        WriteField(ref writer, SuitesField, [.. payload.Suites.Select(suite => (byte)suite)]);
        WriteField(ref writer, CandidatesField, EncodeCandidates(payload.Candidates, stackalloc byte[MaxCandidatesLength]));
        Span<byte> parameters = stackalloc byte[TransportParameters.MaxEncodedLength];
        WriteField(ref writer, ParametersField, parameters[..payload.Parameters!.Encode(parameters)]);
        WriteField(ref writer, ConnectionIdField, sizeof(ulong), payload.ConnectionId?.Value);
        WriteField(ref writer, VerdictField, sizeof(byte), (ulong?)payload.Verdict);
        if (payload.Nat is { } nat)
        {
            WriteField(ref writer, NatField, EncodeNat(nat, stackalloc byte[NatProfile.MaxEncodedLength]));
        }
    }

    /// <summary>Reads a payload to its end. It may still lack fields: the caller asks for completeness.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> source, out HandshakePayload payload, out Refusal refusal)
    {
        payload = new HandshakePayload { Revision = 0 };
        var reader = new WireReader(source);
        uint seen = 0;
        refusal = Refusal.None;
        while (refusal == Refusal.None && reader.TryReadByte(out byte type) && type != Padding)
        {
            bool isWhole = reader.TryReadUInt16(out ushort length) & reader.TryReadBytes(length, out ReadOnlySpan<byte> value);
            refusal = !isWhole ? Refusal.Truncated
                : type <= KnownFields && (seen & (1u << type)) != 0 ? Refusal.BadValue
                : DecodeField(type, value, ref payload);
            seen |= type <= KnownFields ? 1u << type : 0;
        }

        reader.SkipAll(Padding);
        if (refusal == Refusal.None && !reader.IsAtEnd)
        {
            refusal = Refusal.ReservedNotZero;
        }

        return refusal == Refusal.None;
    }

    private static Refusal DecodeField(byte type, ReadOnlySpan<byte> value, ref HandshakePayload payload)
    {
        switch (type)
        {
            case RevisionField when value.Length == sizeof(ushort):
                payload = payload with { Revision = BinaryPrimitives.ReadUInt16LittleEndian(value) };
                return Refusal.None;
            case TimestampField when value.Length == sizeof(ulong):
                payload = payload with { Timestamp = BinaryPrimitives.ReadUInt64LittleEndian(value) };
                return Refusal.None;
            case TicketField when value.Length == TicketId.Size:
                payload = payload with { Ticket = TicketId.Read(value) };
                return Refusal.None;
            case SuitesField:
                payload = payload with { Suites = [.. value[..Math.Min(value.Length, ProtectionSuites.MaxOffered)].ToArray().Select(suite => (ProtectionSuite)suite)] };
                return Refusal.None;
            case CandidatesField:
                return DecodeCandidates(value, ref payload);
            case ParametersField:
                bool isGood = TransportParameters.TryDecode(value, out TransportParameters parameters);
                payload = payload with { Parameters = parameters };
                return isGood ? Refusal.None : Refusal.BadValue;
            case ConnectionIdField when value.Length == ConnectionId.Size:
                payload = payload with { ConnectionId = new(BinaryPrimitives.ReadUInt64LittleEndian(value)) };
                return Refusal.None;
            case VerdictField when value is [>= (byte)TicketVerdict.Open and <= (byte)TicketVerdict.Expired]:
                payload = payload with { Verdict = (TicketVerdict)value[0] };
                return Refusal.None;
            case NatField:
                return DecodeNat(value, ref payload);
            default:
                return type > KnownFields ? Refusal.None : Refusal.BadValue;
        }
    }

    // An address to which nothing can be sent is left out, not refused: the peer's other candidates may be good.
    private static Refusal DecodeCandidates(ReadOnlySpan<byte> value, ref HandshakePayload payload)
    {
        var candidates = new List<Candidate>(Candidate.MaxCount);
        var reader = new WireReader(value);
        for (int count = 0; !reader.IsAtEnd; count++)
        {
            if (count == Candidate.MaxCount)
            {
                return Refusal.OverLimit;
            }

            if (!Candidate.TryDecode(ref reader, out Candidate candidate))
            {
                return Refusal.BadValue;
            }

            if (candidate.Address.IsUsable)
            {
                candidates.Add(candidate);
            }
        }

        payload = payload with { Candidates = candidates };
        return Refusal.None;
    }

    private static Refusal DecodeNat(ReadOnlySpan<byte> value, ref HandshakePayload payload)
    {
        var reader = new WireReader(value);
        bool isGood = NatProfile.TryDecode(ref reader, out NatProfile nat); // What a later revision adds behind is its own.
        payload = payload with { Nat = nat };
        return isGood ? Refusal.None : Refusal.BadValue;
    }

    private static ReadOnlySpan<byte> EncodeNat(NatProfile nat, Span<byte> buffer)
    {
        var writer = new WireWriter(buffer);
        nat.Encode(ref writer);
        return buffer[..writer.Written];
    }

    private static ReadOnlySpan<byte> EncodeCandidates(IReadOnlyList<Candidate> candidates, Span<byte> buffer)
    {
        var writer = new WireWriter(buffer);
        foreach (Candidate candidate in candidates.Take(Candidate.MaxCount))
        {
            candidate.Encode(ref writer);
        }

        return buffer[..writer.Written];
    }

    private static void WriteField(ref WireWriter writer, byte type, int length, ulong? value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value ?? 0);
        WriteField(ref writer, type, value is null ? [] : bytes[..length]);
    }

    private static void WriteField(ref WireWriter writer, byte type, scoped ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return;
        }

        writer.WriteByte(type);
        writer.WriteUInt16((ushort)value.Length);
        writer.WriteBytes(value);
    }
}
