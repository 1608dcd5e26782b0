using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// How a session ends. <em>Flushing</em>: the application wants to close, written bytes are still being delivered.
/// <em>Closing</em>: we said CLOSE and repeat it until the peer says it too. <em>Draining</em>: the peer said it; each
/// CLOSE is answered with ours for a while. <em>Terminated</em>. The first reason counts. One owner.
/// </summary>
internal sealed class CloseSequence(EventQueue events)
{
    /// <summary>CLOSE is repeated so often when the peer does not answer it.</summary>
    // spec: CONST-27
    private const int MaxAttempts = 6;

    // spec: CONST-28
    private static readonly TimeSpan s_lingerMax = TimeSpan.FromSeconds(3);

    // spec: CONST-29
    private static readonly TimeSpan s_flushStallMin = TimeSpan.FromSeconds(2);

    private const int LingerProbeTimeouts = 3;
    private const int FlushStallProbeTimeouts = 6;
    private const int MaxShift = 10;

    private ulong _code;
    private byte[] _text = [];
    private string _reason = "";
    private int _attempts;
    private Instant _lingerUntil;

    /// <summary>Where the ending stands.</summary>
    public CloseState State { get; private set; }

    /// <summary>Why it ended, once it is decided.</summary>
    public CloseReason? Reason { get; private set; }

    /// <summary>Has a CLOSE to be sent now?</summary>
    public bool IsClosePending { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Instant? Deadline { get; private set; }

    /// <summary>May streams send and receive?</summary>
    public bool IsOpen => State is CloseState.Open or CloseState.Flushing;

    /// <summary>The application wants to end it.</summary>
    public void Begin(Instant now, ulong code, string reason, bool flush, TimeSpan probeTimeout)
    {
        if (State == CloseState.Open)
            (_code, _reason, _text) = (code, reason, CloseFrame.EncodeReason(reason));
        if (!IsOpen)
            return;
        if (flush && State == CloseState.Open)
        {
            State = CloseState.Flushing;
            HandleProgress(now, probeTimeout);
        }
        else if (!flush)
            EndFlush(now);
    }

    /// <summary>The peer acknowledged something: a flush may take that much longer.</summary>
    public void HandleProgress(Instant now, TimeSpan probeTimeout)
    {
        if (State == CloseState.Flushing)
            Deadline = now + Max(probeTimeout * FlushStallProbeTimeouts, s_flushStallMin);
    }

    /// <summary>Everything is delivered, or has to be given up: says CLOSE.</summary>
    // spec: PKT-40
    public void EndFlush(Instant now)
    {
        if (!IsOpen)
            return;
        State = CloseState.Closing;
        Decide(new(_code, _reason, ByPeer: false, IsLost: false));
        IsClosePending = true;
        Deadline = _lingerUntil = now + s_lingerMax;
    }

    /// <summary>The peer broke the protocol, or we cannot go on: says so at once.</summary>
    public void Fail(Instant now, ulong code, string reason)
    {
        if (!IsOpen)
            return;
        (_code, _reason, _text) = (code, reason, CloseFrame.EncodeReason(reason));
        EndFlush(now);
    }

    /// <summary>The peer says CLOSE.</summary>
    // spec: PKT-41
    public void HandlePeerClose(Instant now, in CloseFrame frame, TimeSpan probeTimeout)
    {
        switch (State)
        {
            case CloseState.Open or CloseState.Flushing:
                State = CloseState.Draining;
                Decide(new(frame.Code, frame.ReasonText, ByPeer: true, IsLost: false));
                (_code, _text) = (TunnelErrorCode.None, []);
                IsClosePending = true;
                Deadline = now + Min(probeTimeout * LingerProbeTimeouts, s_lingerMax);
                break;
            case CloseState.Draining:
                IsClosePending = true;
                break;
            case CloseState.Closing:
                Terminate();
                break;
        }
    }

    /// <summary>Another packet came after we said CLOSE: the peer has not heard it.</summary>
    public void HandleStrayPacket() => IsClosePending |= State == CloseState.Closing && _attempts > 0 && _attempts < MaxAttempts;

    /// <summary>Nothing was heard from the peer for too long.</summary>
    // spec: PKT-43
    public void HandleIdle()
    {
        Decide(new(TunnelErrorCode.IdleTimeout, "Nothing was heard from the peer for the idle timeout.", ByPeer: false, IsLost: true));
        Terminate();
    }

    /// <summary>Writes the CLOSE that is pending, and plans the next.</summary>
    // spec: PKT-42
    public void Write(Instant now, ref WireWriter writer, TimeSpan probeTimeout)
    {
        new CloseFrame(_code, _text).Write(ref writer);
        IsClosePending = false;
        if (State == CloseState.Closing)
            Deadline = Instant.Min(_lingerUntil, now + probeTimeout * (1 << Math.Min(_attempts++, MaxShift)));
    }

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        if (!(Deadline <= now))
            return;
        if (State == CloseState.Flushing)
            EndFlush(now);
        else if (State == CloseState.Closing && _attempts is > 0 and < MaxAttempts && now < _lingerUntil)
            (IsClosePending, Deadline) = (true, _lingerUntil);
        else
            Terminate();
    }

    private void Decide(CloseReason reason)
    {
        if (Reason is not null)
            return;
        Reason = reason;
        events.Complete(new ConnectionClosed(reason));
    }

    private void Terminate()
    {
        State = CloseState.Terminated;
        IsClosePending = false;
        Deadline = null;
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}

/// <summary>States of <see cref="CloseSequence"/>, in the order in which they can follow each other.</summary>
internal enum CloseState
{
    /// <summary>In use.</summary>
    Open,

    /// <summary>The application has closed; bytes are still being delivered.</summary>
    Flushing,

    /// <summary>We said CLOSE.</summary>
    Closing,

    /// <summary>The peer said CLOSE.</summary>
    Draining,

    /// <summary>Nothing more happens.</summary>
    Terminated,
}
