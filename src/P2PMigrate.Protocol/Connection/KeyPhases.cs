using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// The keys in use. Seals under the present epoch and moves to the next after so many packets or so long, once the peer
/// has shown that it is in the present one; opens under the present, the previous for a while, and the next, which makes
/// us follow the peer. Packet numbers go on across epochs. One owner.
/// </summary>
internal sealed class KeyPhases : IDisposable
{
    // How long packets of the previous epoch may still be on their way.
    // spec: CONST-25
    private static readonly TimeSpan s_retention = TimeSpan.FromSeconds(3);

    private readonly IPacketKeySource _source;
    private readonly KeyUpdateOptions _options;
    private PacketKeys _current;
    private PacketKeys? _previous;
    private PacketKeys? _next;
    private Instant _epochBegan;
    private ulong _sealedInEpoch;
    private ulong _forgedInEpoch;
    private bool _isPeerInEpoch;

    /// <summary>Takes epoch 0 from the source, which it owns from now on.</summary>
    public KeyPhases(IPacketKeySource source, KeyUpdateOptions options, Instant now)
    {
        _source = source;
        _options = options;
        _current = source.Next();
        _epochBegan = now;
    }

    /// <summary>The epoch in use; 0 at first.</summary>
    public uint Epoch { get; private set; }

    /// <summary>The bit that packets of this epoch carry.</summary>
    public bool Phase => (Epoch & 1) != 0;

    /// <summary>Bytes that sealing adds.</summary>
    public int TagLength => _current.Sealer.TagLength;

    /// <summary>Have the keys sealed so many packets, or failed on so many, without the peer following, that the session must end?</summary>
    // spec: PKT-23, PKT-24
    public bool IsExhausted => _sealedInEpoch >= _options.MaxPackets || _forgedInEpoch >= _options.MaxForgeries;

    /// <summary>When the keys of the previous epoch are forgotten.</summary>
    public Instant? DiscardAt => _previous is null ? null : _epochBegan + s_retention;

    /// <summary>Moves to the next epoch if it is time; call before a header is written.</summary>
    // spec: PKT-20, PKT-24
    public void UpdateIfDue(Instant now)
    {
        bool isDue = _sealedInEpoch >= _options.AfterPackets || now - _epochBegan >= _options.AfterTime
            || _forgedInEpoch >= _options.AfterForgeries;
        if (isDue && _isPeerInEpoch && _previous is null && _sealedInEpoch > 0)
            Advance(now);
    }

    /// <summary>Seals a packet under the present epoch.</summary>
    public void Seal(byte label, ulong number, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        _sealedInEpoch++;
        _current.Sealer.Seal(label, number, header, plaintext, ciphertext);
    }

    /// <summary>Opens a packet under whichever epoch its key phase can mean.</summary>
    // spec: PKT-21, PKT-22
    public bool TryOpen(Instant now, in PacketHeader header, ulong number, ReadOnlySpan<byte> headerBytes, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        if (header.KeyPhase == Phase)
        {
            bool isOpen = _current.Opener.TryOpen(header.PathId, number, headerBytes, ciphertext, plaintext);
            _isPeerInEpoch |= isOpen;
            _forgedInEpoch += isOpen ? 0UL : 1;
            return isOpen;
        }

        if (_previous?.Opener.TryOpen(header.PathId, number, headerBytes, ciphertext, plaintext) == true)
            return true;
        _next ??= _source.Next();
        if (!_next.Opener.TryOpen(header.PathId, number, headerBytes, ciphertext, plaintext))
        {
            _forgedInEpoch++;
            return false;
        }

        Advance(now);
        _isPeerInEpoch = true;
        return true;
    }

    /// <summary>Forgets the keys of the previous epoch when their time is over.</summary>
    public void HandleTimeout(Instant now)
    {
        if (DiscardAt <= now)
            DiscardPrevious();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DiscardPrevious();
        _current.Dispose();
        _next?.Dispose();
        _source.Dispose();
    }

    private void Advance(Instant now)
    {
        DiscardPrevious();
        (_previous, _current, _next) = (_current, _next ?? _source.Next(), null);
        Epoch++;
        _epochBegan = now;
        _sealedInEpoch = 0;
        _forgedInEpoch = 0;
        _isPeerInEpoch = false;
    }

    private void DiscardPrevious()
    {
        _previous?.Dispose();
        _previous = null;
    }
}
