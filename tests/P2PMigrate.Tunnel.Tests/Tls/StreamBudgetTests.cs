using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>What may wait in front of all connections together.</summary>
[Trait("Spec", "RLY-33")]
public sealed class StreamBudgetTests
{
    private const int Piece = 1000;
    private readonly StreamBudget _budget = new(100 * Piece, floor: 0);

    [Fact]
    public void However_many_are_slow_they_do_not_take_everything_and_one_that_keeps_up_always_has_room()
    {
        StreamBudget.Share[] slow = [.. Enumerable.Range(0, 20).Select(_ => _budget.Open())];
        foreach (StreamBudget.Share share in slow)
        {
            while (share.HasRoom(Piece))
                share.Add(Piece);
        }

        StreamBudget.Share prompt = _budget.Open();
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(prompt.HasRoom(0));
            prompt.Add(1);
            prompt.Add(-1);
        }

        Assert.InRange(_budget.Free, 0, 50 * Piece);
    }

    [Fact]
    public void However_many_have_a_little_there_is_that_much_for_one_more()
    {
        var budget = new StreamBudget(100 * Piece, floor: Piece);
        foreach (int _ in Enumerable.Range(0, 200))
            budget.Open().Add(Piece);
        Assert.Equal(100 * Piece, budget.Free);
        while (budget.Free >= Piece)
            budget.Open().Add(2 * Piece);

        StreamBudget.Share prompt = budget.Open();
        Assert.True(prompt.HasRoom(Piece));
        prompt.Add(1);
        Assert.False(prompt.HasRoom(Piece));
        Assert.True(prompt.HasRoomToRead(Piece));
        prompt.Add(Piece);
        Assert.False(prompt.HasRoomToRead(Piece));
        prompt.Close();
        Assert.Equal(0, budget.Free);
    }

    [Fact]
    public void Who_has_much_gets_no_more_before_others_do()
    {
        StreamBudget.Share large = _budget.Open(), small = _budget.Open();
        while (large.HasRoom(Piece))
            large.Add(Piece);

        Assert.True(small.HasRoom(10 * Piece));
        small.Add(10 * Piece);
        Assert.False(large.HasRoom(1));
        Assert.True(small.HasRoom(10 * Piece));
    }

    [Fact]
    public void What_a_connection_had_is_free_when_it_ends_whoever_still_counts()
    {
        StreamBudget.Share share = _budget.Open();
        share.Add(70 * Piece);
        share.Close();
        share.Add(Piece);
        share.Add(-70 * Piece);
        share.Close();

        Assert.Equal(100 * Piece, _budget.Free);
    }
}
