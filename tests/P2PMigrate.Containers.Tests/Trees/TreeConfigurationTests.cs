using System.Text;
using P2PMigrate.Containers.Trees;

namespace P2PMigrate.Containers.Tests.Trees;

/// <summary>What a peer says of a process tree.</summary>
public sealed class TreeConfigurationTests
{
    [Fact]
    [Trait("Spec", "MIG-195")]
    public void What_is_written_is_read()
    {
        var written = new TreeConfiguration { Pids = [7, 9], Files = [new ExpectedFile("/usr/bin/python3", 4_000_000_000), new ExpectedFile("/var/log/x", null)] };
        TreeConfiguration read = TreeConfiguration.Parse(written.ToBytes())!;
        Assert.Equal(written.Pids, read.Pids);
        Assert.Equal(written.Files, read.Files);
    }

    [Theory]
    [Trait("Spec", "MIG-195")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"pids":[],"files":[]}""")]
    [InlineData("""{"pids":[0],"files":[]}""")]
    [InlineData("""{"pids":[-4],"files":[]}""")]
    [InlineData("""{"pids":null,"files":[]}""")]
    [InlineData("""{"pids":[4],"files":[null]}""")]
    [InlineData("""{"pids":[4],"files":[{"path":"bin/x","size":4}]}""")]
    [InlineData("""{"pids":[4],"files":[{"path":"/x","size":-4}]}""")]
    [InlineData("""{"pids":[4],"files":[{"size":4}]}""")]
    [InlineData("""{"pids":[4],"files":[{"path":"/a\u0000b","size":4}]}""")]
    public void Anything_else_is_refused(string text) => Assert.Null(TreeConfiguration.Parse(Encoding.UTF8.GetBytes(text)));
}
