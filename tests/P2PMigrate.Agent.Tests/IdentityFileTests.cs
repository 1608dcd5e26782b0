using P2PMigrate.Agent.State;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Tests;

public sealed class IdentityFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-identity-").FullName;

    private string KeyFile => Path.Combine(_directory, "identity.key");

    // spec: ID-01
    [Fact]
    public void The_key_is_made_once_and_only_its_owner_may_read_it()
    {
        using PrivateIdentity first = IdentityFile.LoadOrCreate(_directory);
        using PrivateIdentity second = IdentityFile.LoadOrCreate(_directory);
        Assert.Equal(first.PeerId, second.PeerId);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Single(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_key_that_others_may_read_is_refused_with_the_command_that_heals_it()
    {
        IdentityFile.LoadOrCreate(_directory).Dispose();
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        UsageException refusal = Assert.Throws<UsageException>(() => IdentityFile.LoadOrCreate(_directory));
        Assert.Contains($"chmod 600 {KeyFile}", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_damaged_key_is_refused_and_never_replaced(int length)
    {
        File.WriteAllBytes(KeyFile, new byte[length]);
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Throws<UsageException>(() => IdentityFile.LoadOrCreate(_directory));
        Assert.Equal(length, File.ReadAllBytes(KeyFile).Length);
    }

    [Fact]
    public async Task Of_many_programs_that_start_at_once_all_become_the_same_peer()
    {
        PrivateIdentity[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => IdentityFile.LoadOrCreate(_directory))));
        Assert.Single(all.Select(identity => identity.PeerId).Distinct());
        Array.ForEach(all, identity => identity.Dispose());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
