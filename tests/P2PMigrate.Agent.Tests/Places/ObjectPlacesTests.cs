using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Agent.Commands;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.State;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>What a user types for a place, and what it is called from then on.</summary>
public sealed class ObjectPlacesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-places-").FullName;
    private readonly string _other = Directory.CreateTempSubdirectory("p2pmigrate-places-").FullName;
    private readonly StateDirectory _state;

    public ObjectPlacesTests()
    {
        _state = new StateDirectory(_directory);
        _state.Create();
    }

    private CommandContext Context => new(new RootCommand().Parse(""), _state, new PlainOutput(TextWriter.Null, TextWriter.Null), NullLoggerFactory.Instance);

    [Fact]
    [Trait("Spec", "DEP-55")]
    public async Task A_ticket_becomes_the_name_of_its_issuer_and_nobody_else_reads_it()
    {
        using PrivateIdentity peer = IdentityFile.LoadOrCreate(_other);
        CommandContext context = Context;

        string name = ObjectPlaces.NameOf(context, TicketOf(peer, 1));
        Assert.Equal(name, ObjectPlaces.NameOf(context, TicketOf(peer, 2)));

        Assert.Equal($"peer:{peer.PeerId}", name);
        Assert.Equal(name, ObjectPlaces.NameOf(context, name));
        Assert.Equal(TicketOf(peer, 2), new KnownPlaces(_state).TryFind(peer.PeerId)!.Format());
        string kept = Assert.Single(Directory.GetFiles(_state.Places));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));
        await using RemoteObjectStore opened = Assert.IsType<RemoteObjectStore>(ObjectPlaces.Open(context, name));
        Assert.Equal(name, opened.Place);
        Assert.Same(opened, ObjectPlaces.Open(context, name));
    }

    [Fact]
    public async Task Without_a_ticket_that_is_good_the_place_says_what_to_type()
    {
        using PrivateIdentity peer = IdentityFile.LoadOrCreate(_other);
        CommandContext context = Context;
        var unknown = Assert.IsType<RemoteObjectStore>(ObjectPlaces.Open(context, ObjectPlaces.NameOf(peer.PeerId)));

        PlaceException none = await Assert.ThrowsAsync<PlaceException>(() => unknown.ListAsync("web/", default));
        UsageException typed = Assert.Throws<UsageException>(() => ObjectPlaces.NameOf(context, $" {TicketOf(peer, 1, expires: 1).ToUpperInvariant()}"));
        Assert.StartsWith("This is not a ticket", typed.Message, StringComparison.Ordinal); // and no path that would be printed
        Assert.Contains("has expired", Assert.Throws<UsageException>(() => ObjectPlaces.NameOf(context, TicketOf(peer, 1, expires: 1))).Message, StringComparison.Ordinal);
        Assert.Null(new KnownPlaces(_state).TryFind(peer.PeerId));
        Assert.True(Ticket.TryParse(TicketOf(peer, 1, expires: 1), out Ticket? old, out _));
        new KnownPlaces(_state).Keep(old); // it was good then
        PlaceException expired = await Assert.ThrowsAsync<PlaceException>(() => unknown.ListAsync("web/", default));

        Assert.Contains("-d TICKET", none.Message, StringComparison.Ordinal);
        Assert.Contains("The ticket expired", expired.Message, StringComparison.Ordinal);
        Assert.Contains("-d TICKET", expired.Message, StringComparison.Ordinal);
        await context.Tunnels.DisposeAsync();
    }

    [Fact]
    [Trait("Spec", "DEP-55")]
    public void The_own_name_is_the_directory_that_is_kept_for_others()
    {
        using PrivateIdentity self = IdentityFile.LoadOrCreate(_directory);
        string name = ObjectPlaces.NameOf(self.PeerId);

        Assert.Contains("receive --place DIR", Assert.Throws<UsageException>(() => ObjectPlaces.Open(Context, name)).Message, StringComparison.Ordinal);
        new KnownPlaces(_state).KeepOwn(_other);

        Assert.Equal(name, Assert.IsType<DirectoryObjectStore>(ObjectPlaces.Open(Context, name)).Place);
        Assert.Equal(name, ObjectPlaces.NameToTake(Context, _other + "/"));
        Assert.Equal(_other, ObjectPlaces.NameOf(Context, _other + "/"));
        Assert.Equal(_directory, ObjectPlaces.NameToTake(Context, _directory));
    }

    [Theory]
    [InlineData("p2pm1nothing")]
    [InlineData("ftp://there/moves")]
    [InlineData("peer:somebody")]
    [InlineData(" ")]
    public void What_is_no_place_is_said_to_be_none(string typed) =>
        Assert.Throws<UsageException>(() => ObjectPlaces.Open(Context, ObjectPlaces.NameOf(Context, typed)));

    [Fact]
    public void A_directory_is_called_by_its_whole_path()
    {
        Assert.Equal(Path.GetFullPath("moves"), ObjectPlaces.Open(Context, ObjectPlaces.NameOf(Context, "moves")).Place);
        Assert.Equal("s3://bucket/moves", ObjectPlaces.NameOf(Context, "s3://bucket/moves"));
    }

    [Fact]
    [Trait("Spec", "DEP-26")]
    public void A_place_below_the_state_directory_is_none() =>
        Assert.Throws<MigrationException>(() => PlaceCheck.RefuseIfDoomed(_state, Path.Combine(_directory, "moves")));

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        Directory.Delete(_other, recursive: true);
    }

    private static string TicketOf(PrivateIdentity peer, uint secret, long expires = 4_000_000_000) =>
        new Ticket { Responder = peer.Public, Secret = new TicketSecret(secret), ExpiresAtUnixSeconds = expires }.Format();
}
