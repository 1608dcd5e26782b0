using P2PMigrate.Agent.Commands;

namespace P2PMigrate.Agent.Tests;

public sealed class StoreChoiceTests
{
    [Theory]
    [Trait("Spec", "MIG-141")]
    [InlineData("0", 0)]
    [InlineData("8G", 8L << 30)]
    [InlineData("1.5G", 3L << 29)]
    [InlineData("500M", 500L << 20)]
    [InlineData("64k", 65_536)]
    [InlineData("2T", 2L << 40)]
    [InlineData("1000", 1000)]
    public void A_size_is_a_number_of_bytes_with_or_without_a_letter(string text, long expected) =>
        Assert.Equal(expected, StoreChoice.BytesOf(text));

    [Theory]
    [InlineData("")]
    [InlineData("G")]
    [InlineData("much")]
    [InlineData("8GB")]
    [InlineData("-8G")]
    [InlineData("1,5G")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("9223372036854775808")]
    public void Anything_else_is_refused_with_what_to_type(string text)
    {
        UsageException refused = Assert.Throws<UsageException>(() => StoreChoice.BytesOf(text));
        Assert.Contains("--store-size", refused.Message, StringComparison.Ordinal);
        Assert.Contains("8G", refused.Message, StringComparison.Ordinal);
    }
}
