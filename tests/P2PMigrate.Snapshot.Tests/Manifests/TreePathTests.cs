using System.Text;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Tests.Manifests;

[Trait("Spec", "SNAP-02")]
public sealed class TreePathTests
{
    [Theory]
    [InlineData("/etc")]
    [InlineData("etc/")]
    [InlineData("a//b")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("a\0b")]
    public void A_path_that_could_leave_the_root_or_has_two_spellings_is_refused(string text)
    {
        Assert.False(TreePath.TryParse(Encoding.UTF8.GetBytes(text), out _, out string? reason));
        Assert.NotEmpty(reason);
    }

    [Theory]
    [InlineData("etc")]
    [InlineData("...")]
    [InlineData("..a/.b")]
    [InlineData("a b\n/c")]
    public void Any_other_bytes_are_a_path(string text) => Assert.Equal(text, Encoding.UTF8.GetString(TreePath.Parse(text).Bytes));

    [Fact]
    public void Names_and_paths_have_the_kernels_limits()
    {
        Assert.False(TreePath.TryParse(new byte[256].Fill('a'), out _, out _));
        Assert.True(TreePath.TryParse(new byte[255].Fill('a'), out _, out _));
        byte[] longest = [.. Enumerable.Repeat("a/"u8.ToArray(), 2048).SelectMany(part => part)];
        Assert.True(TreePath.TryParse(longest.AsSpan(0, 4095), out TreePath path, out _));
        Assert.False(TreePath.TryParse([.. longest, (byte)'a'], out _, out _));
        Assert.False(path.TryAppend("b"u8, out _));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_shown_escaped()
    {
        Assert.True(TreePath.TryParse([0x61, 0xFF, 0x1B, 0x2F, 0xC3, 0xA4], out TreePath path, out _));
        Assert.Equal(@"a\xff\x1b/ä", path.ToString());
    }

    [Fact]
    public void Parents_and_names_are_found()
    {
        TreePath path = TreePath.Parse("a/b/c");
        Assert.Equal("a/b", path.Parent.ToString());
        Assert.Equal("c"u8, path.Name);
        Assert.True(TreePath.Parse("a").Parent.IsRoot);
        Assert.True(TreePath.Root.Parent.IsRoot);
        Assert.True(path.Parent.TryAppend("c"u8, out TreePath again));
        Assert.Equal(path, again);
    }

    [Fact]
    public void A_directory_comes_before_what_is_in_it()
    {
        Assert.True(TreePath.Root < TreePath.Parse("a"));
        Assert.True(TreePath.Parse("a") < TreePath.Parse("a-b"));
        Assert.True(TreePath.Parse("a-b") < TreePath.Parse("a/b"));
    }
}

file static class Bytes
{
    public static byte[] Fill(this byte[] bytes, char value)
    {
        bytes.AsSpan().Fill((byte)value);
        return bytes;
    }
}
