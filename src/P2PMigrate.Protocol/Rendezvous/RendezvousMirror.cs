using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// What a server does at its second port and its second address: it tells whoever says hello at which address it sees him, and nothing
/// else. It remembers nothing, and its answers are shorter than the questions.
/// </summary>
// spec: RDV-22
public static class RendezvousMirror
{
    /// <summary>Bytes that every answer fits into.</summary>
    public const int MaxDatagramSize = RendezvousHeader.Size + NetworkAddress.MaxEncodedLength;

    /// <summary>Writes the answer to a datagram from <paramref name="source"/>; false with a reason when there is none.</summary>
    public static bool TryAnswer(NetworkAddress source, ReadOnlySpan<byte> datagram, Span<byte> answer, out int length, out Refusal refusal)
    {
        bool isHello = HelloMessage.TryParse(datagram, out HelloMessage hello, out refusal);
        length = isHello ? new EchoedMessage(hello.Transaction, source).Write(answer) : 0;
        return isHello;
    }
}
