using P2PMigrate.Agent.State;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Tests;

/// <summary>Tickets survive a restart, and nobody else reads them.</summary>
public sealed class TicketFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-tickets").FullName;

    private string Saved => Path.Combine(_directory, "tickets");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_was_saved_is_loaded_again()
    {
        TicketRecord[] tickets = [new(new TicketSecret(1), 1_900_000_000, IsSpent: false), new(new TicketSecret(UInt128.MaxValue), 0, IsSpent: true)];
        var file = new TicketFile(_directory);
        Assert.Empty(file.Load());
        file.Save(tickets[..1]);
        file.Save(tickets);
        Assert.Equal(tickets, new TicketFile(_directory).Load());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Saved));
        Assert.Equal([Saved], Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_planted_link_is_neither_read_nor_written_through()
    {
        string victim = Path.Combine(_directory, "victim");
        File.WriteAllText(victim, "mine");
        File.CreateSymbolicLink(Saved, victim);
        var file = new TicketFile(_directory);
        Assert.Throws<UsageException>(file.Load);
        file.Save([new(new TicketSecret(7), 1_900_000_000, IsSpent: false)]);
        Assert.Equal("mine", File.ReadAllText(victim));
        Assert.Single(file.Load());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("ff 12 unknown")]
    [InlineData("xyz 12 open")]
    public void A_damaged_file_is_refused(string line)
    {
        SecretFile.Replace(Saved, line + "\n");
        Assert.Throws<UsageException>(new TicketFile(_directory).Load);
    }

    [Fact]
    public void A_file_that_others_may_read_is_refused()
    {
        SecretFile.Replace(Saved, "");
        File.SetUnixFileMode(Saved, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Throws<UsageException>(new TicketFile(_directory).Load);
    }
}
