namespace P2PMigrate.Protocol;

/// <summary>Codes with which the tunnel itself ends a session: protocol-spec/13-errors.md.</summary>
public static class TunnelErrorCode
{
    /// <summary>The session has done its work.</summary>
    public const ulong None = 0x00;

    /// <summary>A fault of the closing side.</summary>
    public const ulong Internal = 0x01;

    /// <summary>A frame is cut short, has a value out of range, or is of an unknown type.</summary>
    public const ulong FrameEncoding = 0x02;

    /// <summary>A frame stands where it may not, or a rule without a code of its own is broken.</summary>
    public const ulong ProtocolViolation = 0x03;

    /// <summary>An acknowledgement names a packet that was never sent.</summary>
    public const ulong AckOfUnsent = 0x04;

    /// <summary>More bytes than the credit allows.</summary>
    public const ulong FlowControl = 0x05;

    /// <summary>More streams than the limit allows.</summary>
    public const ulong StreamLimit = 0x06;

    /// <summary>A frame for a stream that this side should have opened and did not.</summary>
    public const ulong StreamState = 0x07;

    /// <summary>The end of a stream moved, or bytes came after it.</summary>
    public const ulong FinalSize = 0x08;

    /// <summary>Bytes of a stream came again and were different.</summary>
    public const ulong StreamDataChanged = 0x09;

    /// <summary>The peer did not follow a key update until the keys came near their limit.</summary>
    public const ulong KeyUpdate = 0x0A;

    /// <summary>Nothing was heard for the idle timeout. Never sent; reported locally with <see cref="CloseReason.IsLost"/>.</summary>
    public const ulong IdleTimeout = 0x0B;

    /// <summary>The ticket behind the session is spent or expired; the reason says which.</summary>
    public const ulong TicketRefused = 0x0C;

    /// <summary>The responder has more sessions than it can serve; try again later.</summary>
    public const ulong Busy = 0x0D;

    /// <summary>Codes from here on belong to the application.</summary>
    public const ulong FirstApplicationCode = 0x100;

    /// <summary>One sentence for the reason of a CLOSE.</summary>
    internal static string ToSentence(ulong code) => code switch
    {
        FrameEncoding => "A frame could not be read.",
        ProtocolViolation => "A frame stands where it may not.",
        AckOfUnsent => "A packet was acknowledged that was never sent.",
        FlowControl => "More bytes came than the credit allows.",
        StreamLimit => "More streams were opened than the limit allows.",
        StreamState => "A frame names a stream that was never opened.",
        FinalSize => "The end of a stream moved.",
        StreamDataChanged => "Bytes of a stream came again and were different.",
        KeyUpdate => "The peer did not follow a key update.",
        _ => "The session failed.",
    };
}
