using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Tests.Processes;

public sealed class ToolVersionTests
{
    [Theory]
    [InlineData("Version: 4.2.1\nGitID: v4.2.1\n", "4.2.1")]
    [InlineData("runc version 1.3.6+ds1\ncommit: 1.3.6+ds1-1\nspec: 1.2.1\n", "1.3.6")]
    [InlineData("6.18.44-cloud-amd64", "6.18.44")]
    [InlineData("runc version 1.4.0-rc.1", "1.4.0")]
    [InlineData("Version: 4.2", "4.2.0")]
    public void The_first_version_in_a_text_is_found(string text, string expected)
    {
        Assert.True(ToolVersion.TryFind(text, out ToolVersion version));
        Assert.Equal(expected, version.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("4")]
    [InlineData("4.")]
    [InlineData("no version here")]
    [InlineData("9999999.1")]
    public void A_text_without_a_version_is_told_apart(string text) => Assert.False(ToolVersion.TryFind(text, out _));

    [Fact]
    public void Versions_compare_by_number_and_not_by_text()
    {
        Assert.True(new ToolVersion(4, 10) > new ToolVersion(4, 2, 1));
        Assert.True(new ToolVersion(4, 2) <= new ToolVersion(4, 2, 0));
        Assert.True(new ToolVersion(6, 9) < new ToolVersion(6, 16));
    }
}
