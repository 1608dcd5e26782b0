using System.IO.MemoryMappedFiles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Trees;

public sealed class TreeScannerTests : IDisposable
{
    /// <summary>No margin: what was written before the first pass counts as settled at once.</summary>
    private static readonly TreeScanOptions s_eager = new() { ChangeMargin = -TimeSpan.FromHours(1) };

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_second_pass_reads_only_what_changed()
    {
        TestDirectory.Sh(_directory.Path, "for i in 1 2 3 4 5 6 7 8 9; do printf $i > $i; done; ln 1 one");
        using TreeScanner scanner = new(_directory.Path, s_eager);
        TreeScan first = Scan(scanner);
        Assert.Equal(9, first.FilesRead);
        Assert.Equal(0, Scan(scanner).FilesRead);

        TestDirectory.Sh(_directory.Path, "printf changed > 5; chmod 600 6; rm 7; mv 8 eight");
        TreeScan third = Scan(scanner);
        Assert.Equal(3, third.FilesRead); // 5, 6 and eight
        Tree.AssertEqual(Tree.Scan(_directory.Path), third.Manifest);
    }

    /// <summary>The change leaves size, mtime and inode as they were, and may fall into the same tick as the first pass.</summary>
    // spec: SNAP-80
    [Fact]
    public void A_change_in_the_same_tick_as_the_pass_before_is_found()
    {
        string file = Path.Combine(_directory.Path, "file");
        File.WriteAllText(file, "before");
        using TreeScanner scanner = new(_directory.Path);
        for (int round = 0; round < 200; round++)
        {
            DateTime modifiedAt = File.GetLastWriteTimeUtc(file);
            Scan(scanner);
            File.WriteAllText(file, $"{round:D6}");
            File.SetLastWriteTimeUtc(file, modifiedAt);
            Tree.AssertEqual(Tree.Scan(_directory.Path), Scan(scanner).Manifest);
        }
    }

    /// <summary>A store through a shared mapping moves the ctime only when it is the first since the page was written back.</summary>
    // spec: SNAP-82
    [Theory]
    [InlineData(null)]
    [InlineData("/dev/shm")]
    public void Stores_through_a_mapping_are_found(string? where)
    {
        Assert.SkipUnless(where is null || Directory.Exists(where), $"needs {where}");
        string root = where is null ? _directory.Path : Directory.CreateDirectory(Path.Combine(where, Path.GetFileName(_directory.Path))).FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(root, "file"), new byte[8192]);
            using MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(Path.Combine(root, "file"));
            using MemoryMappedViewAccessor view = mapping.CreateViewAccessor();
            using TreeScanner scanner = new(root, new TreeScanOptions { ChangeMargin = TimeSpan.Zero });
            view.Write(0, 1);
            for (int round = 2; round < 6; round++)
            {
                scanner.Scan(ScanMode.Live, TestContext.Current.CancellationToken);
                view.Write(100, round);
                Tree.AssertEqual(Tree.Scan(root), Scan(scanner).Manifest);
            }
        }
        finally
        {
            if (where is not null)
                Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Somebody makes, changes, moves and removes all the time; every pass is sound, and the last one is exact.</summary>
    // spec: SNAP-81
    [Fact]
    public async Task A_tree_that_changes_under_the_scanner_is_described_soundly()
    {
        TestDirectory.Sh(_directory.Path, "for i in $(seq 40); do mkdir d$i; for j in 1 2 3 4 5; do printf $i > d$i/f$j; done; ln d$i/f1 d$i/g1; done");
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task writer = Task.Run(() => Disturb(stop.Token), TestContext.Current.CancellationToken);

        using TreeScanner scanner = new(_directory.Path);
        for (int pass = 0; pass < 60; pass++)
        {
            byte[] bytes = scanner.Scan(ScanMode.Frozen, TestContext.Current.CancellationToken).Manifest.Serialize();
            Assert.True(Manifest.TryParse(bytes, out _, out string? reason), reason);
        }

        await stop.CancelAsync();
        await writer;
        Tree.AssertEqual(Tree.Scan(_directory.Path), Scan(scanner).Manifest);
    }

    /// <summary>The file has one value throughout, another when the pass is over; a pass that mixes them must say so.</summary>
    // spec: SNAP-81
    [Fact]
    public async Task A_file_that_is_never_still_is_reported_dirty()
    {
        string file = Path.Combine(_directory.Path, "file");
        using FileStream stream = new(file, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        stream.SetLength(64 << 20);
        stream.Write(new byte[64 << 20]);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task writer = Task.Run(
            () =>
            {
                for (byte value = 0; !stop.IsCancellationRequested; value++)
                {
                    stream.Position = 0;
                    stream.WriteByte(value);
                }
            },
            TestContext.Current.CancellationToken);

        using TreeScanner scanner = new(_directory.Path);
        TreeScan scan = scanner.Scan(ScanMode.Frozen, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await writer;
        Assert.Equal(["file"], scan.Dirty.Select(path => path.ToString()));
        Assert.Empty(Scan(scanner).Dirty);
    }

    // spec: SNAP-83
    [Fact]
    public void What_is_mounted_in_the_tree_is_listed_but_not_part_of_it()
    {
        Powers.NeedRoot();
        TestDirectory.Sh(_directory.Path, "mkdir d m; printf under > file; printf over > over; mount -t tmpfs none m; printf x > m/inside; mount --bind over file");
        try
        {
            Manifest listed = Tree.Scan(_directory.Path);
            Assert.Equal([".", "d", "file", "m", "over"], listed.Entries.Select(entry => entry.Path.ToString()));
            Assert.Equal(0, Assert.IsType<FileEntry>(listed.Entries[2]).Content.Size);

            using TreeScanner all = new(_directory.Path, new TreeScanOptions { MountPoints = MountPointPolicy.Descend });
            Assert.Contains("m/inside", Scan(all).Manifest.Entries.Select(entry => entry.Path.ToString()));
            using TreeScanner none = new(_directory.Path, new TreeScanOptions { MountPoints = MountPointPolicy.Refuse });
            Assert.Contains("is mounted at", Assert.Throws<SnapshotException>(() => Scan(none)).Message, StringComparison.Ordinal);
        }
        finally
        {
            TestDirectory.Sh(_directory.Path, "umount m; umount file");
        }
    }

    [Fact]
    public void A_root_that_is_not_there_is_told_in_a_sentence()
    {
        SnapshotException exception = Assert.Throws<SnapshotException>(() => new TreeScanner("/nowhere/at/all"));
        Assert.Equal("Cannot open directory \"/nowhere/at/all\": No such file or directory.", exception.Message);
    }

    [Fact]
    public void A_path_longer_than_the_kernel_takes_is_told_in_a_sentence()
    {
        TestDirectory.Sh(_directory.Path, "n=$(printf 'd%.0s' $(seq 250)); for i in $(seq 17); do mkdir $n; cd -P $n 2>/dev/null || cd $n; done");
        Assert.Contains("MaxPathLength", Assert.Throws<SnapshotException>(() => Tree.Scan(_directory.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scan_can_be_cancelled()
    {
        TestDirectory.Sh(_directory.Path, "printf x > a");
        using TreeScanner scanner = new(_directory.Path);
        Assert.ThrowsAny<OperationCanceledException>(() => scanner.Scan(ScanMode.Frozen, new CancellationToken(canceled: true)));
    }

    private static TreeScan Scan(TreeScanner scanner) => scanner.Scan(ScanMode.Frozen, TestContext.Current.CancellationToken);

    private void Disturb(CancellationToken cancellationToken)
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        Random random = new(seed);
        while (!cancellationToken.IsCancellationRequested)
        {
            string directory = Path.Combine(_directory.Path, $"d{random.Next(1, 41)}");
            string file = Path.Combine(directory, $"f{random.Next(1, 6)}");
            try
            {
                Disturb(random, directory, file);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // What it wanted to change is gone already: just so.
            }
        }
    }

    private static void Disturb(Random random, string directory, string file)
    {
        switch (random.Next(6))
        {
            case 0:
                Directory.Delete(directory, recursive: true);
                break;
            case 1:
                Directory.CreateDirectory(directory);
                break;
            case 2:
                File.Delete(file);
                break;
            case 3:
                File.Move(file, file + "-moved", overwrite: true);
                break;
            case 4 when Directory.Exists(directory):
                File.CreateSymbolicLink(file, directory);
                break;
            default:
                File.WriteAllText(file, $"{random.Next()}");
                break;
        }
    }
}
