using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Wire;

/// <summary>Every frame against fixed bytes, read back, and cut short at every length.</summary>
public sealed class FrameTests
{
    private static readonly StreamId s_stream = StreamId.Create(ConnectionRole.Responder, StreamClass.Urgent, 5);
    private static readonly NetworkAddress s_address = NetworkAddress.FromBytes([192, 0, 2, 1], 443);

    private delegate void Write(ref WireWriter writer);

    private delegate bool Parse(ref WireReader reader);

    [Fact]
    public void Stream_data() => Check("08 2b 4400 4003 616263",
        (ref WireWriter writer) =>
        {
            StreamFrame.WriteHead(ref writer, s_stream, 1024, 3, isFinal: false);
            writer.WriteBytes("abc"u8);
        },
        (ref WireReader reader) => StreamFrame.TryParse(ref reader, isFinal: false, out StreamFrame frame)
            && frame is { Offset: 1024, IsFinal: false } && frame.Stream == s_stream && frame.Data.SequenceEqual("abc"u8));

    [Fact]
    public void The_end_of_a_stream() => Check("09 2b 4400 4000",
        (ref WireWriter writer) => StreamFrame.WriteHead(ref writer, s_stream, 1024, 0, isFinal: true),
        (ref WireReader reader) => StreamFrame.TryParse(ref reader, isFinal: true, out StreamFrame frame) && frame is { Offset: 1024, IsFinal: true });

    [Fact]
    public void A_reset() => Check("03 2b 4101 4400",
        (ref WireWriter writer) => new ResetStreamFrame(s_stream, 0x101, 1024).Write(ref writer),
        (ref WireReader reader) => ResetStreamFrame.TryParse(ref reader, out ResetStreamFrame frame) && frame == new ResetStreamFrame(s_stream, 0x101, 1024));

    [Fact]
    public void A_refusal() => Check("04 2b 4101",
        (ref WireWriter writer) => new StopSendingFrame(s_stream, 0x101).Write(ref writer),
        (ref WireReader reader) => StopSendingFrame.TryParse(ref reader, out StopSendingFrame frame) && frame == new StopSendingFrame(s_stream, 0x101));

    [Fact]
    public void Credit_for_a_class() => Check("05 02 80400000",
        (ref WireWriter writer) => new MaxDataFrame(StreamClass.Bulk, 4 << 20).Write(ref writer),
        (ref WireReader reader) => MaxDataFrame.TryParse(ref reader, out MaxDataFrame frame) && frame == new MaxDataFrame(StreamClass.Bulk, 4 << 20));

    [Fact]
    public void Credit_for_a_stream() => Check("06 2b 80400000",
        (ref WireWriter writer) => new MaxStreamDataFrame(s_stream, 4 << 20).Write(ref writer),
        (ref WireReader reader) => MaxStreamDataFrame.TryParse(ref reader, out MaxStreamDataFrame frame) && frame == new MaxStreamDataFrame(s_stream, 4 << 20));

    [Fact]
    public void A_limit_on_streams() => Check("07 00 4040",
        (ref WireWriter writer) => new MaxStreamsFrame(StreamClass.Control, 64).Write(ref writer),
        (ref WireReader reader) => MaxStreamsFrame.TryParse(ref reader, out MaxStreamsFrame frame) && frame == new MaxStreamsFrame(StreamClass.Control, 64));

    [Fact]
    public void A_challenge() => Check("10 0807060504030201",
        (ref WireWriter writer) => new PathChallengeFrame(0x0102030405060708).Write(ref writer),
        (ref WireReader reader) => PathChallengeFrame.TryParse(ref reader, out PathChallengeFrame frame) && frame.Token == 0x0102030405060708);

    [Fact]
    public void A_response() => Check("11 0807060504030201 04c0000201bb01",
        (ref WireWriter writer) => new PathResponseFrame(0x0102030405060708, s_address).Write(ref writer),
        (ref WireReader reader) => PathResponseFrame.TryParse(ref reader, out PathResponseFrame frame) && frame == new PathResponseFrame(0x0102030405060708, s_address));

    [Fact]
    public void Candidates() => Check("12 02 0104c0000201bb01 0204c0000201bc01",
        (ref WireWriter writer) => CandidatesFrame.Write(ref writer, [new(CandidateKind.Host, s_address), new(CandidateKind.Reflexive, s_address.WithPort(444))]),
        (ref WireReader reader) =>
        {
            Candidate[] candidates = new Candidate[Candidate.MaxCount];
            return CandidatesFrame.TryParse(ref reader, out CandidatesFrame frame) && frame.CopyTo(candidates) == 2
                && candidates[1] == new Candidate(CandidateKind.Reflexive, s_address.WithPort(444));
        });

    [Fact]
    public void A_close() => Check("1f 4123 03 627965",
        (ref WireWriter writer) => new CloseFrame(0x123, "bye"u8).Write(ref writer),
        (ref WireReader reader) => CloseFrame.TryParse(ref reader, out CloseFrame frame) && frame is { Code: 0x123, ReasonText: "bye" });

    // spec: PKT-14
    [Fact]
    public void An_acknowledgement() => Check("02 07 4400 4064 02 00 00 04 05 01",
        (ref WireWriter writer) => AckFrame.TryWrite(ref writer, 7, TimeSpan.FromMicroseconds(100), [new(1024, 1024), new(1018, 1022), new(1010, 1011)]),
        (ref WireReader reader) =>
        {
            List<PacketRange> ranges = [];
            bool isWhole = AckFrame.TryParse(ref reader, out AckFrame frame);
            foreach (PacketRange range in frame)
                ranges.Add(range);
            return isWhole && frame is { Label: 7, Largest: 1024 } && frame.Delay == TimeSpan.FromMicroseconds(100)
                && ranges.SequenceEqual([new(1024, 1024), new(1018, 1022), new(1010, 1011)]);
        });

    [Theory]
    [InlineData("07 05 00 00 06")]
    [InlineData("07 05 00 01 01 04 00")]
    [InlineData("07 05 00 01 05 00 00")]
    public void An_acknowledgement_of_numbers_below_zero_is_refused(string hex)
    {
        WireReader reader = new(Bytes(hex));
        Assert.False(AckFrame.TryParse(ref reader, out _));
    }

    // spec: CONST-20
    [Fact]
    public void An_acknowledgement_leaves_out_the_smallest_ranges_when_there_are_too_many()
    {
        PacketRange[] ranges = [.. Enumerable.Range(0, 100).Select(i => new PacketRange((ulong)(1000 - 3 * i), (ulong)(1000 - 3 * i)))];
        byte[] buffer = new byte[2000];
        WireWriter writer = new(buffer);
        Assert.True(AckFrame.TryWrite(ref writer, 1, TimeSpan.Zero, ranges));
        WireReader reader = new(buffer.AsSpan(1, writer.Written - 1));
        Assert.True(AckFrame.TryParse(ref reader, out AckFrame frame));
        int count = 0;
        foreach (PacketRange range in frame)
            Assert.Equal(ranges[count++], range);
        Assert.Equal(AckFrame.MaxRanges, count);
    }

    [Fact]
    public void An_acknowledgement_fits_into_whatever_room_there_is_or_is_not_written()
    {
        PacketRange[] ranges = [.. Enumerable.Range(0, 32).Select(i => new PacketRange(ulong.MaxValue / 8 - (ulong)(i * 100_000), ulong.MaxValue / 8 - (ulong)(i * 100_000)))];
        for (int room = 0; room < 700; room++)
        {
            WireWriter writer = new(new byte[room]);
            if (AckFrame.TryWrite(ref writer, 1, TimeSpan.FromHours(1), ranges))
                Assert.InRange(writer.Written, 1, room);
        }
    }

    // spec: STR-12
    [Fact]
    public void A_range_beyond_62_bits_is_refused()
    {
        WireReader reader = new(Bytes("2b ffffffffffffffff 01 61"));
        Assert.False(StreamFrame.TryParse(ref reader, isFinal: false, out _));
    }

    // spec: STR-02
    [Fact]
    public void A_stream_of_a_class_that_does_not_exist_is_refused()
    {
        WireReader reader = new(Bytes("06 00 01 61"));
        Assert.False(StreamFrame.TryParse(ref reader, isFinal: false, out _));
    }

    // spec: CONST-21
    [Fact]
    public void A_reason_is_cut_at_a_whole_character()
    {
        byte[] reason = CloseFrame.EncodeReason(string.Concat(Enumerable.Repeat("ä", 300)));
        Assert.Equal(256, reason.Length);
        Assert.Equal(255, CloseFrame.EncodeReason("x" + string.Concat(Enumerable.Repeat("ä", 300))).Length);
    }

    private static void Check(string hex, Write write, Parse parse)
    {
        byte[] expected = Bytes(hex);
        byte[] buffer = new byte[expected.Length + 64];
        WireWriter writer = new(buffer);
        write(ref writer);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(buffer[..writer.Written]));
        WireReader reader = new(expected.AsSpan(1));
        Assert.True(parse(ref reader));
        Assert.True(reader.IsAtEnd);
        for (int cut = 1; cut < expected.Length; cut++)
        {
            WireReader shorter = new(expected.AsSpan(1, cut - 1));
            Assert.False(parse(ref shorter), $"cut to {cut}");
        }
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
