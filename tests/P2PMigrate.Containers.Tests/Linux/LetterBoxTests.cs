using System.Collections.Concurrent;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Tests.Linux;

public sealed class LetterBoxTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    [Trait("Spec", "MEM-23")]
    public void A_letter_comes_to_whoever_took_the_name_last()
    {
        using var sender = new LetterBox<long>(_directory.Path, "sender");
        using var former = new LetterBox<long>(_directory.Path, "name");
        using var present = new LetterBox<long>(_directory.Path, "name");
        Assert.True(sender.TrySend("name", 12));
        Assert.False(former.TryTake(out _));
        Assert.True(present.TryTake(out long letter));
        Assert.Equal(12, letter);
        Assert.False(present.TryTake(out _));
    }

    [Fact]
    [Trait("Spec", "MEM-23")]
    public void A_letter_that_nobody_takes_is_lost_and_nobody_waits()
    {
        using var sender = new LetterBox<long>(_directory.Path, "sender");
        Assert.False(sender.TrySend("nobody", 1));
        using var idle = new LetterBox<long>(_directory.Path, "idle");
        int sent = 0;
        while (sender.TrySend("idle", sent)) sent++;
        Assert.InRange(sent, 1, 10_000);
        idle.Dispose();
        Assert.False(sender.TrySend("idle", 1));
    }

    [Fact]
    [Trait("Spec", "MEM-23")]
    public async Task A_name_that_changes_hands_is_never_without_any()
    {
        using var sender = new LetterBox<long>(_directory.Path, "sender");
        var boxes = new ConcurrentQueue<LetterBox<long>>([new(_directory.Path, "name")]);
        Task taking = Task.Run(() =>
        {
            for (int times = 0; times < 200; times++) boxes.Enqueue(new LetterBox<long>(_directory.Path, "name"));
        });
        while (!taking.IsCompleted)
        {
            Assert.True(sender.TrySend("name", 1));
            while (!boxes.Any(box => box.TryTake(out _)))
            {
            }
        }

        await taking;
        foreach (LetterBox<long> box in boxes) box.Dispose();
        Assert.Equal(["name", "sender"], Directory.EnumerateFileSystemEntries(_directory.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    [Trait("Spec", "MEM-23")]
    public void Who_has_no_name_can_send()
    {
        using var nameless = new LetterBox<long>(_directory.Path);
        using var named = new LetterBox<long>(_directory.Path, "name");
        Assert.True(nameless.TrySend("name", 5));
        nameless.TakeName("name");
        Assert.True(named.TrySend("name", 6));
        Assert.True(nameless.TryTake(out long letter));
        Assert.Equal(6, letter);
    }

    [Fact]
    public void A_directory_with_a_long_path_is_no_obstacle()
    {
        string deep = Directory.CreateDirectory(Path.Combine(_directory.Path, new string('d', 200))).FullName;
        using var box = new LetterBox<long>(deep, "name");
        Assert.True(box.TrySend("name", 3));
        Assert.True(box.TryTake(out long letter));
        Assert.Equal(3, letter);
    }
}
