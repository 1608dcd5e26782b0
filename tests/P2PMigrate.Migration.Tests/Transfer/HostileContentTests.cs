using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Tests.Transfer;

/// <summary>Bulk streams from a source that lies: every one ends as the peer's fault, and nothing outside the job's directory appears.</summary>
public sealed class HostileContentTests : IDisposable
{
    private static readonly PageKey s_key = PageKey.Create();
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-content-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    [Trait("Spec", "MIG-26")]
    public async Task Memory_survives_the_wire_in_pieces_that_the_writer_can_join()
    {
        byte[] pages = new byte[1500 * PageRun.PageSize];
        new Random(3).NextBytes(pages.AsSpan(0, 900 * PageRun.PageSize));
        var sink = new RecordingSink();

        long bytes = await ReceiveAsync(sink, MemoryStream(pages));

        Assert.Equal(pages.Length, bytes);
        Assert.Equal(pages, sink.Pages.ToArray());
        Assert.All(sink.Runs, run => Assert.True(run.Pages <= PageReceiver.PiecePages));
        Assert.Equal(0x1000_0000ul + (ulong)pages.Length, sink.Runs[^2].Address + (sink.Runs[^2].Pages * (ulong)PageRun.PageSize));
        Assert.Equal(new PageRun(0x9000_0000, 7, 1), sink.Runs[^1]);
    }

    [Fact]
    [Trait("Spec", "MIG-26")]
    public async Task Memory_cut_off_at_any_length_is_the_peers_fault()
    {
        byte[] stream = MemoryStream(new byte[3 * PageRun.PageSize]);
        for (int length = 0; length < stream.Length; length++)
            await AssertPeerFaultAsync(() => ReceiveAsync(new RecordingSink(), stream[..length]));
    }

    [Fact]
    [Trait("Spec", "MIG-26")]
    public async Task Memory_with_changed_bytes_is_received_or_the_peers_fault()
    {
        const int Seed = 99;
        var random = new Random(Seed);
        byte[] pages = new byte[5 * PageRun.PageSize];
        random.NextBytes(pages.AsSpan(0, PageRun.PageSize));
        byte[] stream = MemoryStream(pages);
        for (int round = 0; round < 3000; round++)
        {
            byte[] changed = [.. stream];
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                await ReceiveAsync(new RecordingSink(), changed);
            }
            catch (MigrationException exception)
            {
                Assert.Equal(MigrationFault.PeerBrokeProtocol, exception.Fault);
            }
            catch (SnapshotException exception)
            {
                Assert.Contains("not what was dumped", exception.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    [Trait("Spec", "MIG-27")]
    public async Task Memory_far_beyond_what_was_claimed_is_the_peers_fault()
    {
        byte[] stream =
        [
            .. Record(PageRecord.Of(new PageSpace(PageSpaceKind.Process, 1))),
            .. Record(PageRecord.Of(new PageRun(0, PageRecord.RunPagesMax, 4))),
        ];
        await AssertPeerFaultAsync(() => ReceiveAsync(new RecordingSink(), stream));
    }

    public static TheoryData<string> BadNames => ["../escape", "/etc/passwd", "a/b", ".hidden", "..", "nul\0", new string('n', 200), "there.img", "ümlaut"];

    [Theory]
    [MemberData(nameof(BadNames))]
    [Trait("Spec", "MIG-24")]
    public async Task An_image_with_a_name_that_is_none_or_is_taken_touches_nothing(string name)
    {
        string images = Directory.CreateDirectory(Path.Combine(_directory, "images")).FullName;
        await File.WriteAllTextAsync(Path.Combine(images, "there.img"), "mine");

        await AssertPeerFaultAsync(() => Images(images).ReceiveAsync(Reader(ImageStream(name, "theirs")), CancellationToken.None));

        Assert.Equal(["images", "images/there.img"], Directory.EnumerateFileSystemEntries(_directory, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(_directory, path)).Order());
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(images, "there.img")));
    }

    [Fact]
    [Trait("Spec", "MIG-24")]
    public async Task Images_cut_off_at_any_length_or_with_another_digest_are_the_peers_fault()
    {
        byte[] stream = ImageStream("core-1.img", "content");
        for (int length = 0; length < stream.Length; length++)
        {
            string images = Directory.CreateDirectory(Path.Combine(_directory, $"cut-{length}")).FullName;
            await AssertPeerFaultAsync(() => Images(images).ReceiveAsync(Reader(stream[..length]), CancellationToken.None));
        }

        stream[^10] ^= 1;
        string other = Directory.CreateDirectory(Path.Combine(_directory, "other")).FullName;
        await AssertPeerFaultAsync(() => Images(other).ReceiveAsync(Reader(stream), CancellationToken.None));
    }

    [Fact]
    [Trait("Spec", "MIG-20")]
    public async Task A_stream_header_out_of_bounds_is_the_peers_fault()
    {
        Wire.StreamHeader good = new() { JobId = ByteString.CopyFrom(new byte[16]), Kind = Wire.StreamKind.Rootfs };
        Assert.Equal(ContentKind.Rootfs, (await StreamHeader.ReadAsync(Reader(Prefixed(good.ToByteArray())), CancellationToken.None)).Kind);
        Wire.StreamHeader[] bad =
        [
            new(good) { JobId = ByteString.CopyFrom(new byte[15]) },
            new(good) { Kind = Wire.StreamKind.Unspecified },
            new(good) { Kind = (Wire.StreamKind)77 },
            new(good) { Round = ControlLimits.MaxRounds },
        ];
        foreach (Wire.StreamHeader header in bad)
            await AssertPeerFaultAsync(() => StreamHeader.ReadAsync(Reader(Prefixed(header.ToByteArray())), CancellationToken.None).AsTask());
        await AssertPeerFaultAsync(() => StreamHeader.ReadAsync(Reader([0xff, 0xff, 0xff, 0xff, 1]), CancellationToken.None).AsTask());
    }

    [Fact]
    [Trait("Spec", "MIG-02")]
    public async Task A_record_arrives_whole_however_the_pipe_cuts_it()
    {
        byte[] content = RandomNumberGenerator.GetBytes(300);
        byte[] bytes = Prefixed(content);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var pipe = new Pipe();
            await pipe.Writer.WriteAsync(bytes.AsMemory(0, cut));
            ValueTask<byte[]?> reading = pipe.Reader.TryReadRecordAsync(1000, CancellationToken.None);
            await pipe.Writer.WriteAsync(bytes.AsMemory(cut));
            Assert.Equal(content, await reading);
        }
    }

    private async Task<long> ReceiveAsync(IPageSink sink, byte[] stream)
    {
        var meter = new TransferMeter(() => { });
        using var kept = new KeptPages(_directory, 0);
        return await new PageReceiver(sink, kept, new ContentBudget(0), meter, mayLeave: true).ReceiveAsync(
            Reader(stream), new StreamHeader(default, ContentKind.Memory, PageKey: s_key.Export()), CancellationToken.None);
    }

    private static ImageReceiver Images(string directory) => new(directory, new TransferMeter(() => { }));

    private static async Task AssertPeerFaultAsync(Func<Task> action) =>
        Assert.Equal(MigrationFault.PeerBrokeProtocol, (await Assert.ThrowsAsync<MigrationException>(action)).Fault);

    private static byte[] MemoryStream(byte[] pages)
    {
        using var stream = new System.IO.MemoryStream();
        using var digest = new MemoryDigest();
        void Open(PageRecord record)
        {
            stream.Write(Record(record));
            digest.AddRecord(Record(record));
        }

        Open(PageRecord.Of(new PageSpace(PageSpaceKind.Process, 1)));
        Open(PageRecord.Of(new PageRun(0x1000_0000, (uint)(pages.Length / PageRun.PageSize), 4)));
        byte[] block = new byte[PageBlock.MaxLength];
        for (int offset = 0; offset < pages.Length; offset += PageBlock.MaxContentLength)
        {
            Span<byte> part = pages.AsSpan(offset, Math.Min(PageBlock.MaxContentLength, pages.Length - offset));
            stream.Write(Record(PageRecord.Fresh(0, part.Length / PageRun.PageSize)));
            stream.Write(block.AsSpan(0, PageBlock.Encode(part, block)));
        }

        for (int offset = 0; offset < pages.Length; offset += PageRun.PageSize)
            digest.AddPage(s_key.NameOf(pages.AsSpan(offset, PageRun.PageSize)));
        Open(PageRecord.Of(new PageRun(0x9000_0000, 7, 1)));
        stream.Write(Record(PageRecord.End(pages.Length / PageRun.PageSize)));
        stream.Write(digest.Finish());
        return stream.ToArray();
    }

    private static byte[] ImageStream(string name, string content)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        return
        [
            .. Prefixed(new Wire.ImageFile { Name = name, Size = (ulong)bytes.Length }.ToByteArray()),
            .. bytes,
            .. SHA256.HashData(bytes),
            .. Prefixed([]),
        ];
    }

    private static byte[] Record(PageRecord record)
    {
        byte[] bytes = new byte[PageRecord.Size];
        record.Write(bytes);
        return bytes;
    }

    private static byte[] Prefixed(byte[] record)
    {
        byte[] bytes = new byte[4 + record.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)record.Length);
        record.CopyTo(bytes, 4);
        return bytes;
    }

    private static PipeReader Reader(byte[] bytes) => PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(bytes));

    private sealed class RecordingSink : IPageSink
    {
        public List<PageRun> Runs { get; } = [];

        public System.IO.MemoryStream Pages { get; } = new();

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
        {
            Runs.Add(run);
            Pages.Write(pages.Span);
            return ValueTask.CompletedTask;
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
