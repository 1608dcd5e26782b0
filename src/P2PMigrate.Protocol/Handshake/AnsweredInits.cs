using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The messages 2 of the last seconds, found by mac 1 of the message 1 they answer, so that a repeated message 1 gets the
/// same answer and makes no second session. The oldest makes room when it is full. One owner.
/// </summary>
/// <remarks>spec: HS-25.</remarks>
internal sealed class AnsweredInits
{
    /// <summary>Answers remembered at a time.</summary>
    public const int Capacity = 256;

    /// <summary>How long an answer is repeated; longer than an initiator repeats its question.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private readonly Dictionary<UInt128, (byte[] Response, ConnectionId LocalId)> _answers = [];
    private readonly Queue<(UInt128 Mac1, Instant ForgetAt)> _byAge = [];

    /// <summary>Remembers an answer, and our name for the session that came of it.</summary>
    public void Add(Instant now, ReadOnlySpan<byte> mac1, ReadOnlySpan<byte> response, ConnectionId localId)
    {
        Forget(now, Capacity - 1);
        UInt128 key = BinaryPrimitives.ReadUInt128BigEndian(mac1);
        _answers[key] = (response.ToArray(), localId);
        _byAge.Enqueue((key, now + Lifetime));
    }

    /// <summary>Copies the answer to the message 1 with that code, if it was answered not long ago, and names its session.</summary>
    public bool TryFind(Instant now, ReadOnlySpan<byte> mac1, Span<byte> response, out ConnectionId localId)
    {
        Forget(now, Capacity);
        bool isKnown = _answers.TryGetValue(BinaryPrimitives.ReadUInt128BigEndian(mac1), out (byte[] Response, ConnectionId LocalId) answer);
        answer.Response?.CopyTo(response);
        localId = answer.LocalId;
        return isKnown;
    }

    /// <summary>The answer to the message 1 with that code must not go out again.</summary>
    public void Remove(ReadOnlySpan<byte> mac1) => _answers.Remove(BinaryPrimitives.ReadUInt128BigEndian(mac1));

    private void Forget(Instant now, int keep)
    {
        while (_byAge.TryPeek(out (UInt128 Mac1, Instant ForgetAt) oldest) && (oldest.ForgetAt <= now || _byAge.Count > keep))
        {
            _byAge.Dequeue();
            _answers.Remove(oldest.Mac1);
        }
    }
}
