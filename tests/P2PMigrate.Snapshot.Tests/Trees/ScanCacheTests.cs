using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Trees;

/// <summary>The rule itself, because kernels with fine timestamps hide what it is for.</summary>
[Trait("Spec", "SNAP-80")]
public sealed class ScanCacheTests : IDisposable
{
    private static readonly TimeSpan s_margin = TimeSpan.FromSeconds(2);

    private readonly TestDirectory _directory = new();
    private readonly Statx _facts;
    private readonly FileEntry _entry = new(TreePath.Parse("file"), Samples.Plain, FileContent.Empty);

    public ScanCacheTests()
    {
        File.WriteAllText(Path.Combine(_directory.Path, "file"), "");
        using TreeRoot root = TreeRoot.Open(_directory.Path);
        using SafeFileHandle inode = root.TryOpenInode(_entry.Path)!;
        _facts = Inode.Stat(inode);
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void An_inode_is_recalled_if_it_was_settled_before_the_pass_that_read_it(int ticksBeyondMargin, bool isRecalled) =>
        Assert.Equal(isRecalled, Recalls(_facts.Stamp, s_margin + TimeSpan.FromTicks(ticksBeyondMargin)));

    [Fact]
    public void An_inode_that_looks_different_is_not_recalled()
    {
        InodeStamp stamp = _facts.Stamp;
        TimeSpan longAgo = TimeSpan.FromHours(1);
        Assert.True(Recalls(stamp, longAgo));
        Assert.False(Recalls(stamp with { Size = 1 }, longAgo));
        Assert.False(Recalls(stamp with { ModifiedAt = default }, longAgo));
        Assert.False(Recalls(stamp with { ChangedAt = default }, longAgo));
        Assert.False(Recalls(stamp with { Id = stamp.Id with { Number = 1 } }, longAgo));
        Assert.False(Recalls(stamp with { Id = stamp.Id with { Device = 1 } }, longAgo));
    }

    [Fact]
    public void Content_is_never_recalled_where_mapped_writes_do_not_show() =>
        Assert.False(Recalls(_facts.Stamp, TimeSpan.FromHours(1), showsMappedWrites: false));

    /// <summary>Is a file of this stamp recalled, that a pass has read which began so long after the file last changed?</summary>
    private bool Recalls(InodeStamp remembered, TimeSpan afterChange, bool showsMappedWrites = true)
    {
        ScanCache cache = new(showsMappedWrites ? new HashSet<ulong>() : new HashSet<ulong> { _facts.Stamp.Id.Device }, s_margin);
        cache.EndPass([new ScanCache.Memory(_entry, remembered, _facts.Stamp.ChangedAt - -afterChange)]);
        cache.BeginPass();
        return cache.TryRecall(new WalkedName(_entry.Path, _facts, isMountPoint: false), out _);
    }
}
