using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Protocol.Tests.Paths;

public sealed class SizeSearchTests
{
    private static readonly TimeSpan s_answerTime = TimeSpan.FromMilliseconds(100);

    // spec: PATH-41
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_size_that_is_answered_at_any_attempt_passes_and_the_search_climbs_on(int attempts)
    {
        SizeSearch search = new(start: 1200, usual: 1472, limit: 8972);
        Instant now = new(1_000_000_000);
        for (int i = 0; i < attempts; i++)
        {
            Assert.True(search.TryNext(now += s_answerTime, s_answerTime, out int size));
            Assert.Equal(1472, size);
        }

        search.HandleAnswered(now, 1472);
        Assert.True(search.TryNext(now, s_answerTime, out int longer));
        Assert.Equal(8972, longer);
    }

    // spec: PATH-41
    [Fact]
    public void A_late_answer_to_a_shorter_probe_gives_the_longer_one_no_more_attempts()
    {
        SizeSearch search = new(start: 1200, usual: 1472, limit: 8972);
        Instant now = new(1_000_000_000);
        for (int i = 0; i < SizeSearch.MaxAttempts; i++)
            Assert.True(search.TryNext(now += s_answerTime, s_answerTime, out _));
        Assert.True(search.TryNext(now += s_answerTime, s_answerTime, out int tried));
        search.HandleAnswered(now, 1232);
        int attempts = 1;
        while (search.TryNext(now += s_answerTime, s_answerTime, out int size) && size == tried)
            attempts++;
        Assert.Equal(SizeSearch.MaxAttempts, attempts);
    }
}
