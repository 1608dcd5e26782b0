using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Protocol.Tests.Protection;

[Trait("Spec", "HS-35")]
public sealed class ReplayWindowTests
{
    private readonly ReplayWindow _window = new();

    [Fact]
    public void The_window_is_as_wide_as_documented() => Assert.Equal(8128, ReplayWindow.Width);

    [Fact]
    public void Each_number_is_accepted_once()
    {
        Assert.Equal(-1, _window.Greatest);
        foreach (ulong number in (ulong[])[0, 1, 9, 8, 7, 100, 99])
        {
            Assert.True(_window.IsNew(number));
            Assert.True(_window.TryAccept(number));
            Assert.False(_window.TryAccept(number));
        }

        Assert.Equal(100, _window.Greatest);
    }

    [Fact]
    public void The_oldest_number_inside_is_new_and_the_next_one_is_not()
    {
        const ulong Greatest = 100_000;
        _window.TryAccept(Greatest);

        Assert.True(_window.IsNew(Greatest - ReplayWindow.Width + 1));
        Assert.False(_window.IsNew(Greatest - ReplayWindow.Width));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(8127)]
    [InlineData(8128)]
    [InlineData(8192)]
    [InlineData(1_000_000)]
    public void A_jump_forgets_what_leaves_the_window_and_nothing_else(int jump)
    {
        ulong start = 70_000;
        for (ulong number = start - 9000; number <= start; number += 3)
        {
            _window.TryAccept(number);
        }

        ulong greatest = start - start % 3 + (ulong)jump;
        ulong last = (ulong)_window.Greatest;
        _window.TryAccept(greatest);
        for (ulong number = start - 9000; number < greatest; number++)
        {
            bool wasSeen = number <= last && (number - (start - 9000)) % 3 == 0;
            bool isInside = greatest - number < ReplayWindow.Width;
            if (number != greatest)
            {
                Assert.Equal(isInside && !wasSeen, _window.IsNew(number) && number != greatest);
            }
        }
    }

    [Fact]
    public void It_agrees_with_a_plain_set_on_a_random_walk()
    {
        const int Seed = 20_260_104; // change it to try others
        var random = new Random(Seed);
        var seen = new HashSet<ulong>();
        ulong greatest = 0;
        for (int step = 0; step < 200_000; step++)
        {
            ulong number = random.Next(100) == 0
                ? greatest + (ulong)random.Next(20_000)
                : greatest + 40 - Math.Min(greatest + 40, (ulong)random.Next(9_000));
            bool expected = (seen.Count == 0 || number > greatest || greatest - number < ReplayWindow.Width) && seen.Add(number);
            Assert.True(expected == _window.TryAccept(number), $"seed {Seed}, step {step}");
            greatest = expected ? Math.Max(greatest, number) : greatest;
        }
    }
}
