using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Tests.Criu;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Lazy;

/// <summary>Two that take in pages of one restore: of a session that may have gone silent, and of one on which the source has come again.</summary>
public sealed class LateMemoryTests : IDisposable
{
    private const ulong Process = 7;
    private const int Size = PageRun.PageSize, PagesInAll = 2048;

    private readonly ScratchDirectory _directory = new();
    private readonly RestoreRequest _request;

    public LateMemoryTests()
    {
        File.WriteAllBytes(_directory["pagemap-7.img"], PagemapImageTests.Image(1, new Containers.Criu.Messages.PagemapRecord { Vaddr = AddressOf(0), NrPages = PagesInAll, Flags = 2 }));
        _request = new RestoreRequest
        {
            Container = new ContainerDescription { Name = "web", Runtime = "runc", BundlePath = _directory.Path, RootPath = _directory.Path, Configuration = default },
            BundlePath = _directory.Path,
            RootPath = _directory.Path,
            ImageDirectory = _directory.Path,
            WorkDirectory = _directory.Path,
        };
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    /// <summary>A page that has its mark is right at every moment, though the other writes it once more.</summary>
    [Fact]
    [Trait("Spec", "MEM-22")]
    [Trait("Spec", "MIG-105")]
    public async Task Both_may_write_the_same_pages_at_once()
    {
        await using LateMemory former = LateMemory.Open(_request)!;
        await using LateMemory present = LateMemory.Open(_request)!;
        Record(WorkRecord.CurrentBootId);
        using var source = new ImagePages(_directory.Path);
        Task[] writing = [Task.Run(() => TakeAll(former, 1), Token), Task.Run(() => TakeAll(present, 16), Token)];
        Task all = Task.WhenAll(writing);
        do AssertMarkedPagesAreRight(source);
        while (!all.IsCompleted);
        await all;
        Assert.Equal(PagesInAll, AssertMarkedPagesAreRight(source));
        await former.Pages.CompleteAsync(Token);
        await present.Pages.CompleteAsync(Token);
        Assert.False(LateMemory.IsLacking(_request));
    }

    [Fact]
    [Trait("Spec", "MEM-23")]
    [Trait("Spec", "MIG-105")]
    public async Task What_is_wanted_is_told_to_who_waited_for_it_last()
    {
        using var giver = new LetterBox<LateLetter>(_directory.Path, LateLetter.Giver);
        await using LateMemory former = LateMemory.Open(_request)!;
        ValueTask<WantedPage> formerWanted = former.WaitForWantedAsync(Token);
        await using LateMemory present = LateMemory.Open(_request)!; // perhaps nothing is ever sent to this one
        Assert.True(giver.TrySend(LateLetter.Taker, Wanted(1)));
        Assert.Equal(AddressOf(1), (await formerWanted).Address);

        ValueTask<WantedPage> presentWanted = present.WaitForWantedAsync(Token);
        Assert.True(giver.TrySend(LateLetter.Taker, Wanted(2)));
        Assert.Equal(AddressOf(2), (await presentWanted).Address);

        former.Take(Process, AddressOf(3), Page(3)); // it can tell what has arrived all the same
        Assert.True(giver.TryTake(out LateLetter letter));
        Assert.Equal((LateLetterKind.Arrived, AddressOf(3)), (letter.Kind, letter.Address));
    }

    /// <summary>The job may end, and remove its directories, while somebody opens it for an inquiry.</summary>
    [Fact]
    [Trait("Spec", "MEM-22")]
    public async Task Places_are_made_before_anything_is_restored_and_never_again()
    {
        await LateMemory.Open(_request)!.DisposeAsync();
        Record(WorkRecord.CurrentBootId);
        await LateMemory.Open(_request)!.DisposeAsync();
        File.Delete(ArrivalFile.PathIn(_directory.Path, Process));
        Assert.Throws<FileNotFoundException>(() => LateMemory.Open(_request));
        Assert.False(File.Exists(ArrivalFile.PathIn(_directory.Path, Process)));
    }

    /// <summary>With the receipt the source destroys its copy.</summary>
    [Theory]
    [InlineData(true, false)]   // the machine was started again
    [InlineData(false, true)]   // who gave and who kept pages have been killed
    [Trait("Spec", "MIG-103")]
    public async Task That_all_has_come_is_not_said_where_nobody_can_give_it_any_more(bool isOfEarlierBoot, bool isUnkept)
    {
        await using LateMemory late = LateMemory.Open(_request)!;
        Record(isOfEarlierBoot ? "earlier" : WorkRecord.CurrentBootId);
        var gone = new ProcessIdentity(int.MaxValue, 1);
        if (isUnkept) new LazyHandover { BootId = WorkRecord.CurrentBootId, Giver = gone, Keeper = gone, LogDescriptor = 3 }.Save(_directory.Path);
        TakeAll(late, 16);
        Assert.Contains("cannot be given", (await Assert.ThrowsAsync<ContainerException>(() => late.Pages.CompleteAsync(Token).AsTask())).Message, StringComparison.Ordinal);
    }

    /// <summary>Whoever is told that nothing lacks forgets the job, and the source destroys its copy.</summary>
    [Fact]
    [Trait("Spec", "MIG-104")]
    public async Task A_container_that_ended_with_its_machine_is_not_said_to_lack_nothing()
    {
        await LateMemory.Open(_request)!.DisposeAsync();
        Record("earlier");
        var runtime = new RuncRuntime(new RuncOptions { PageProgram = ["true"] }, NullLogger.Instance);
        Assert.Contains("was started again", (await Assert.ThrowsAsync<ContainerException>(() => runtime.CompleteAsync(_request, Token))).Message, StringComparison.Ordinal);
    }

    private void Record(string bootId) =>
        new RestoreRecord { Container = "web", BootId = bootId, BundlePath = _directory.Path, RootPath = _directory.Path, Cgroups = [], Links = [] }.Save(_directory.Path);

    private static ulong AddressOf(int page) => 0x10000 + ((ulong)page * Size);

    private static LateLetter Wanted(int page) => new() { Kind = LateLetterKind.Wanted, Image = Process, Address = AddressOf(page), Pages = 1 };

    private static byte[] Page(int page) => [.. Enumerable.Repeat((byte)((page % 255) + 1), Size)];

    private static void TakeAll(LateMemory late, int at)
    {
        for (int page = 0; page < PagesInAll; page += at) late.Take(Process, AddressOf(page), Enumerable.Range(page, at).SelectMany(Page).ToArray());
    }

    private static unsafe int AssertMarkedPagesAreRight(ImagePages source)
    {
        int there = 0;
        for (int page = 0; page < PagesInAll; page++)
        {
            FoundPages found = source.Find(Process, AddressOf(page), 1);
            if (!found.AreThere) continue;
            there++;
            Assert.Equal(-1, new ReadOnlySpan<byte>((void*)found.Content, Size).IndexOfAnyExcept((byte)((page % 255) + 1)));
        }

        return there;
    }
}
