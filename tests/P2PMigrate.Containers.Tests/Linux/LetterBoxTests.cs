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
    public void A_directory_with_a_long_path_is_no_obstacle()
    {
        string deep = Directory.CreateDirectory(Path.Combine(_directory.Path, new string('d', 200))).FullName;
        using var box = new LetterBox<long>(deep, "name");
        Assert.True(box.TrySend("name", 3));
        Assert.True(box.TryTake(out long letter));
        Assert.Equal(3, letter);
    }
}
