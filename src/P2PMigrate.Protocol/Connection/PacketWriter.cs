using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>The frames of one packet while they are being written, with the record that loss recovery will keep of them.</summary>
internal ref struct PacketWriter(Span<byte> plaintext, SentFramePool pool)
{
    /// <summary>Where frames are written.</summary>
    public WireWriter Frames = new(plaintext);

    /// <summary>Bytes that still fit.</summary>
    public readonly int Room => Frames.Remaining;

    /// <summary>Must the peer acknowledge the packet?</summary>
    public bool IsAckEliciting { get; private set; }

    /// <summary>The frames whose fate somebody learns.</summary>
    public RecordedFrames Recorded = RecordedFrames.None;

    /// <summary>The frame just written matters: somebody learns its fate.</summary>
    public void Record(in SentFrame frame)
    {
        pool.Add(ref Recorded, frame);
        IsAckEliciting |= frame.Kind != SentFrameKind.Ack;
    }

    /// <summary>Asks for an acknowledgement.</summary>
    public void WritePing()
    {
        Frames.WriteByte((byte)FrameType.Ping);
        IsAckEliciting = true;
    }
}
