using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Paths;

/// <summary>Makes probes with tokens that nobody can guess, and notes them where their answers are looked for. One owner.</summary>
internal sealed class ProbeMaker(IEntropy entropy)
{
    /// <summary>A probe of this size for <paramref name="pair"/>, which is taken as sent.</summary>
    public OutgoingProbe Make(Instant now, CandidatePair pair, int size)
    {
        OutgoingProbe probe = new(pair.Address, NewToken(), IsResponse: false, default, size);
        pair.Probes.Add(new(probe.Token, now, size));
        pair.HandleSent(size);
        return probe;
    }

    /// <summary>A small probe that belongs to no pair: an answer to it is noticed by where it comes from.</summary>
    // spec: PATH-71
    public OutgoingProbe MakeLoose(PathAddress path, byte hopLimit) =>
        new(path, NewToken(), IsResponse: false, default, ProbeTimetable.SmallDatagram) { HopLimit = hopLimit };

    private ulong NewToken()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        entropy.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
