using P2PMigrate.Agent.Commands;

namespace P2PMigrate.Agent.Tests;

public sealed class RateChoiceTests
{
    [Theory]
    [Trait("Spec", "MIG-122")]
    [InlineData("50M", 50e6)]
    [InlineData("1.5G", 1.5e9)]
    [InlineData("800k", 800e3)]
    [InlineData("800K", 800e3)]
    [InlineData("100000", 100e3)]
    public void A_rate_is_a_number_of_bits_with_or_without_a_letter(string text, double expected) =>
        Assert.Equal(expected, RateChoice.BitsPerSecond(text));

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("fast")]
    [InlineData("50MB")]
    [InlineData("50 Mbit/s")]
    [InlineData("-50M")]
    [InlineData("1,5G")]
    [InlineData("1e9")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("0")]
    [InlineData("99k")]
    [InlineData("1001G")]
    [InlineData("99999999999999999999999999999999999999999999G")]
    public void Anything_else_is_refused_with_what_to_type(string text)
    {
        UsageException refused = Assert.Throws<UsageException>(() => RateChoice.BitsPerSecond(text));
        Assert.Contains("--max-rate", refused.Message, StringComparison.Ordinal);
        Assert.Matches("50M|100k", refused.Message);
    }
}
