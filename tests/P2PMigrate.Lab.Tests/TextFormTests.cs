namespace P2PMigrate.Lab.Tests;

public sealed class TextFormTests
{
    [Fact]
    public void A_bind_mount_reads_source_target_and_mode()
    {
        Assert.Equal(new BindMount("/a", "/b"), BindMount.Parse("/a:/b"));
        Assert.Equal(new BindMount("/a", "/b", ReadOnly: true), BindMount.Parse("/a:/b:ro"));
    }

    [Theory]
    [InlineData("/a")]
    [InlineData("/a:b")]
    [InlineData("/a:/b:rw")]
    [InlineData("/a:/b:ro:x")]
    public void Anything_else_is_refused_as_a_bind_mount(string text) => Assert.Throws<LabException>(() => BindMount.Parse(text));

    [Fact]
    public void Every_NAT_kind_is_found_by_its_name() => Assert.All(NatKind.All, kind => Assert.Same(kind, NatKind.Parse(kind.Name)));

    [Theory]
    [InlineData("")]
    [InlineData("Upper")]
    [InlineData("dot.ted")]
    [InlineData("../escape")]
    [InlineData("a-name-much-too-long-for-this")]
    [InlineData("..")]
    public async Task A_name_that_would_not_do_in_namespaces_and_paths_is_refused(string name)
    {
        Assert.Throws<LabException>(() => LabRegistry.Checked(name));
        await Assert.ThrowsAsync<LabException>(() => VirtualLab.RemoveAsync(name));
    }

    [Fact]
    public void A_process_is_known_by_its_start_time_too()
    {
        ProcessIdentity self = ProcessIdentity.Current;

        Assert.True(self.IsAlive);
        Assert.False((self with { StartTime = self.StartTime + 1 }).IsAlive);
        Assert.Null(ProcessIdentity.TryOf(int.MaxValue));
    }
}
