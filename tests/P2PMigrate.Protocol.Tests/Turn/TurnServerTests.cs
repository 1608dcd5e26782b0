using P2PMigrate.Protocol.Turn;

namespace P2PMigrate.Protocol.Tests.Turn;

public sealed class TurnServerTests
{
    [Theory]
    [InlineData("turn:user:secret@turn.example.org:3479", "turn.example.org:3479", "user", "secret")]
    [InlineData("turn:user:secret@turn.example.org", "turn.example.org:3478", "user", "secret")]
    [InlineData("TURN:u:p@[2001:db8::1]", "[2001:db8::1]:3478", "u", "p")]
    [InlineData("turn:1700000000%3Auser:p%40ss%25@192.0.2.1:1", "192.0.2.1:1", "1700000000:user", "p@ss%")]
    [InlineData("turn:u:p@ss@192.0.2.1:1", "192.0.2.1:1", "u", "p@ss")]
    public void A_server_is_read(string text, string server, string username, string password)
    {
        Assert.True(TurnServer.TryParse(text, out TurnServer? found));
        Assert.Equal((server, username, password), (found.Server.ToString(), found.Username, found.Password));
        Assert.DoesNotContain(password, found.ToString().Replace(server, "", StringComparison.Ordinal)[5..].Replace(username, "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("turn:")]
    [InlineData("turn:@")]
    [InlineData("turn:user@host:1")]
    [InlineData("turn::secret@host:1")]
    [InlineData("turn:user:@host:1")]
    [InlineData("turn:a:b:c@host:1")]
    [InlineData("turn:user:secret@")]
    [InlineData("turn:user:secret@host:0")]
    [InlineData("turns:user:secret@host:1")]
    [InlineData("user:secret@host:1")]
    public void Anything_else_is_not(string? text) => Assert.False(TurnServer.TryParse(text, out _));

    [Fact]
    public void What_a_client_is_made_of_is_shown_without_the_password()
    {
        var options = new TurnClientOptions { Server = MemoryTurnServer.Address, Name = "turn.example:3478", Username = "user", Password = "secret" };

        Assert.DoesNotContain("secret", options.ToString(), StringComparison.Ordinal);
        Assert.Contains("turn.example:3478", options.ToString(), StringComparison.Ordinal);
    }
}
