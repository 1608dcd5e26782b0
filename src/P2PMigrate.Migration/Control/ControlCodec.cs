using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Control;

/// <summary>
/// Turns a <see cref="ControlMessage"/> into protobuf and back. What a peer sent either becomes a message that keeps every bound
/// of chapter 11, or a reason; nothing throws. Stateless.
/// </summary>
internal static class ControlCodec
{
    /// <summary>The bytes of a message, without its length.</summary>
    public static byte[] Encode(ControlMessage message) => Wrap(message).ToByteArray();

    /// <summary>Reads one whole message.</summary>
    // spec: MIG-03
    public static bool TryDecode(
        ReadOnlySequence<byte> bytes, [NotNullWhen(true)] out ControlMessage? message, [NotNullWhen(false)] out string? reason)
    {
        message = null;
        if (!WireParser.TryParse(Wire.ControlMessage.Parser, bytes, out Wire.ControlMessage? wire))
        {
            reason = "a control message is not valid protobuf";
            return false;
        }

        return TryUnwrap(wire, out message, out reason);
    }

    private static Wire.ControlMessage Wrap(ControlMessage message) => message switch
    {
        Propose propose => new() { Propose = ProposalCodec.Wrap(propose) },
        Accept accept => new() { Accept = Wrap(accept) },
        Refuse refuse => new() { Refuse = FindingCodec.Wrap(refuse) },
        Prepare => new() { Prepare = new() },
        LeaseRequest request => new() { LeaseRequest = new() { Number = request.Number } },
        Prepared prepared => new() { Prepared = Wrap(prepared) },
        StillPrepared still => new() { StillPrepared = new() { Lease = still.Lease } },
        Commit => new() { Commit = new() },
        Running running => new() { Running = new() { ReleaseMicroseconds = WireTime.ToMicroseconds(running.Release) } },
        Done => new() { Done = new() },
        Abort abort => new() { Abort = new() { Reason = WireText.Fit(abort.Reason) } },
        Answer answer => new() { Answer = FindingCodec.Wrap(answer) },
        Inquiry inquiry => new() { Inquiry = new() { JobId = ByteString.CopyFrom(inquiry.JobId.ToBytes()) } },
        Fate fate => new() { Fate = new() { Fate_ = (Wire.JobFate)fate.Of } },
        PlaceAsked => new() { PlaceAsked = new() },
        PlaceOpened => new() { PlaceOpened = new() },
        _ => throw new InvalidOperationException($"{message.GetType().Name} has no form on the wire."),
    };

    private static bool TryUnwrap(
        Wire.ControlMessage wire, [NotNullWhen(true)] out ControlMessage? message, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        message = wire.BodyCase switch
        {
            Wire.ControlMessage.BodyOneofCase.Propose => ProposalCodec.Unwrap(wire.Propose, out reason),
            Wire.ControlMessage.BodyOneofCase.Accept => Unwrap(wire.Accept),
            Wire.ControlMessage.BodyOneofCase.Refuse => FindingCodec.Unwrap(wire.Refuse, out reason),
            Wire.ControlMessage.BodyOneofCase.Prepare => new Prepare(),
            Wire.ControlMessage.BodyOneofCase.LeaseRequest => new LeaseRequest(wire.LeaseRequest.Number),
            Wire.ControlMessage.BodyOneofCase.Prepared => Unwrap(wire.Prepared),
            Wire.ControlMessage.BodyOneofCase.StillPrepared => new StillPrepared(wire.StillPrepared.Lease),
            Wire.ControlMessage.BodyOneofCase.Commit => new Commit(),
            Wire.ControlMessage.BodyOneofCase.Running => new Running(WireTime.FromMicroseconds(wire.Running.ReleaseMicroseconds)),
            Wire.ControlMessage.BodyOneofCase.Done => new Done(),
            Wire.ControlMessage.BodyOneofCase.Abort => new Abort(WireText.Printable(wire.Abort.Reason)),
            Wire.ControlMessage.BodyOneofCase.Answer => FindingCodec.Unwrap(wire.Answer, out reason),
            Wire.ControlMessage.BodyOneofCase.Inquiry => JobId.TryParse(wire.Inquiry.JobId.Span, out JobId job) ? new Inquiry(job) : null,
            Wire.ControlMessage.BodyOneofCase.Fate => new Fate(Enum.IsDefined((JobFate)wire.Fate.Fate_) ? (JobFate)wire.Fate.Fate_ : JobFate.Unknown),
            Wire.ControlMessage.BodyOneofCase.PlaceAsked => new PlaceAsked(),
            Wire.ControlMessage.BodyOneofCase.PlaceOpened => new PlaceOpened(),
            _ => null,
        };
        if (message is null)
            reason ??= "a control message of an unknown kind";
        return message is not null;
    }

    private static Wire.Accept Wrap(Accept accept) => accept.Costs is not { } costs ? new() { TakesLate = accept.TakesLate } : new()
    {
        TakesLate = accept.TakesLate,
        FixedMicroseconds = WireTime.ToMicroseconds(costs.Fixed),
        PerPageNanoseconds = (ulong)costs.PerPage.TotalNanoseconds,
        Migrations = (uint)costs.Migrations,
    };

    /// <summary>Costs that no machine can have are none.</summary>
    // spec: MIG-123
    private static Accept Unwrap(Wire.Accept wire)
    {
        var costs = new DowntimeCosts(wire.FixedMicroseconds / 1e3, wire.PerPageNanoseconds / 1e3, (int)Math.Min(wire.Migrations, DowntimeCosts.MostMigrations));
        return new Accept { Costs = costs.IsBelievable ? costs : null, TakesLate = wire.TakesLate };
    }

    private static Wire.Prepared Wrap(Prepared prepared) => new()
    {
        Lease = prepared.Lease,
        ApplyMicroseconds = WireTime.ToMicroseconds(prepared.Times.Apply),
        VerifyMicroseconds = WireTime.ToMicroseconds(prepared.Times.Verify),
        RestoreMicroseconds = WireTime.ToMicroseconds(prepared.Times.Restore),
        FlushMicroseconds = WireTime.ToMicroseconds(prepared.Times.Flush),
    };

    private static Prepared Unwrap(Wire.Prepared wire) => new(wire.Lease, new PrepareTimes(
        WireTime.FromMicroseconds(wire.ApplyMicroseconds),
        WireTime.FromMicroseconds(wire.VerifyMicroseconds),
        WireTime.FromMicroseconds(wire.RestoreMicroseconds),
        WireTime.FromMicroseconds(wire.FlushMicroseconds)));
}
