using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Migration.Tests.Transfer;

/// <summary>A live round that is applied while its content comes: what is there when, and what is left when it ends badly.</summary>
[Trait("Spec", "SNAP-115")]
public sealed class EarlyApplyTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private static readonly JobId s_job = JobId.Create();

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-early-").FullName;
    private readonly string _source;
    private readonly string _target;
    private readonly MemoryChunkStore _store = new();
    private readonly Pipe _up = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Pipe _down = new(new PipeOptions(pauseWriterThreshold: 0));

    public EarlyApplyTests()
    {
        _source = Directory.CreateDirectory(Path.Combine(_directory, "source")).FullName;
        _target = Directory.CreateDirectory(Path.Combine(_directory, "target")).FullName;
        foreach (string name in new[] { "a", "b", "c" })
            File.WriteAllText(Path.Combine(_source, name), $"content of {name}");
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Files_appear_while_others_are_still_to_come()
    {
        using RootfsReceiver receiver = Receiver();
        (Task<long> receiving, ChunkDemand demand) = await BeginAsync(receiver);
        Assert.True(demand.TakesZstd);
        Assert.Equal(3, demand.Count);

        await SendAsync("a");
        await WaitForAsync("a");
        Assert.False(receiving.IsCompleted);
        Assert.False(File.Exists(Path.Combine(_target, "b")));
        await SendAsync("b", "c");
        await EndAsync();

        Assert.Equal(demand.Length, await receiving.WaitAsync(s_patience, CancellationToken.None));
        AssertSame();
    }

    [Fact]
    public async Task What_the_source_leaves_out_is_left_out_here_until_a_later_round()
    {
        using RootfsReceiver receiver = Receiver();
        (Task<long> receiving, _) = await BeginAsync(receiver);
        await SendAsync("a");
        await SendAsync("c");
        await EndAsync();
        await receiving.WaitAsync(s_patience, CancellationToken.None);
        Assert.Equal(["a", "c"], Names());

        (receiving, ChunkDemand demand) = await BeginAsync(receiver, round: 1);
        Assert.Equal(1, demand.Count);
        await SendAsync("b");
        await EndAsync();
        await receiving.WaitAsync(s_patience, CancellationToken.None);
        AssertSame();
    }

    /// <summary>As after a kill: what has come is not asked for again, and what was begun is made good.</summary>
    [Fact]
    public async Task A_stream_that_breaks_off_ends_the_round_and_another_receiver_goes_on()
    {
        using (RootfsReceiver receiver = Receiver())
        {
            (Task<long> receiving, _) = await BeginAsync(receiver);
            await SendAsync("a");
            await WaitForAsync("a");
            await _up.Writer.CompleteAsync();
            MigrationException exception = await Assert.ThrowsAsync<MigrationException>(() => receiving.WaitAsync(s_patience, CancellationToken.None));
            Assert.Equal(MigrationFault.PeerBrokeProtocol, exception.Fault);
        }

        File.WriteAllText(Path.Combine(_target, ".p2pmigrate-0123456789abcdef"), "half a file");
        await _up.Reader.CompleteAsync();
        _up.Reset();
        using RootfsReceiver another = Receiver();
        (Task<long> again, ChunkDemand demand) = await BeginAsync(another);
        Assert.Equal(2, demand.Count);
        await SendAsync("b", "c");
        await EndAsync();
        await again.WaitAsync(s_patience, CancellationToken.None);
        AssertSame();
    }

    [Fact]
    public async Task An_interruption_ends_both()
    {
        using var interrupt = new CancellationTokenSource();
        using RootfsReceiver receiver = Receiver();
        (Task<long> receiving, _) = await BeginAsync(receiver, interrupt: interrupt.Token);
        await SendAsync("a");
        await WaitForAsync("a");
        await interrupt.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving.WaitAsync(s_patience, CancellationToken.None));
    }

    [Fact]
    public async Task What_cannot_be_applied_ends_the_round_at_once_with_its_reason()
    {
        using RootfsReceiver receiver = Receiver();
        Manifest source = Scan(_source);
        InodeAttributes odd = ((InodeEntry)source.Entries[1]).Attributes with { Xattrs = XattrSet.Of([new Xattr(new ByteString("user.a"u8), new ByteString("x"u8))]) };
        Manifest impossible = Manifest.Create([.. source.Entries, new SymlinkEntry(TreePath.Parse("aa"), odd, new ByteString("x"u8))]);
        (Task<long> receiving, _) = await BeginAsync(receiver, manifest: impossible);

        await SendAsync("a"); // b and c never come

        SnapshotException exception = await Assert.ThrowsAsync<SnapshotException>(() => receiving.WaitAsync(s_patience, CancellationToken.None));
        Assert.Contains("\"aa\"", exception.Message, StringComparison.Ordinal);
    }

    private RootfsReceiver Receiver() =>
        new(_target, _store, new ContentBudget(1 << 20), NullLogger.Instance, new TransferMeter(() => { }));

    private async Task<(Task<long> Receiving, ChunkDemand Demand)> BeginAsync(
        RootfsReceiver receiver, int round = 0, Manifest? manifest = null, CancellationToken interrupt = default)
    {
        Manifest next = manifest ?? Scan(_source);
        Manifest known = round == 0 ? Manifest.Empty : next;
        var header = new StreamHeader(s_job, ContentKind.Rootfs, round, IsWhole: round > 0, AnswersLacks: true);
        var stream = new Duplex(_up.Reader, _down.Writer);
        Task<long> receiving = Task.Run(() => receiver.ReceiveRoundAsync(stream, header, interrupt), CancellationToken.None);
        await _up.Writer.WriteRecordAsync(ManifestDelta.Between(known, next).Serialize(), CancellationToken.None);
        byte[] record = await _down.Reader.ReadRecordAsync(1 << 20, CancellationToken.None);
        Assert.True(ChunkDemand.TryParse(record, ChunkCatalogue.Of(next), out ChunkDemand? demand, out string? reason), reason);
        return (receiving, demand);
    }

    private async Task SendAsync(params string[] names)
    {
        ChunkBatch batch = new();
        foreach (string name in names)
            Assert.True(batch.TryAdd(EncodedChunk.Encode(File.ReadAllBytes(Path.Combine(_source, name)))));
        await _up.Writer.WriteRecordAsync(batch.Bytes, CancellationToken.None);
    }

    /// <summary>A batch is stored when the next record comes, or soon.</summary>
    private async Task WaitForAsync(string name)
    {
        using var patience = new CancellationTokenSource(s_patience);
        while (!File.Exists(Path.Combine(_target, name)))
            await Task.Delay(5, patience.Token);
    }

    private async Task EndAsync() => await _up.Writer.WriteRecordAsync(ReadOnlyMemory<byte>.Empty, CancellationToken.None);

    private void AssertSame() => Assert.Empty(Manifest.Compare(Scan(_source), Scan(_target)));

    private IEnumerable<string> Names() => Directory.EnumerateFileSystemEntries(_target).Select(path => Path.GetFileName(path)!).Order();

    private static Manifest Scan(string root) => MigrationRig.ManifestOf(root);

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
