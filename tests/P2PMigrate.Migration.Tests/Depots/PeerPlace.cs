using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Depots;

/// <summary>A directory that a peer keeps, and the way to it through sessions without a network. One test owns it.</summary>
internal sealed class PeerPlace : IAsyncDisposable
{
    private readonly MigrationRig _world = new();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("p2pmigrate-place-");
    private readonly List<Task> _serving = [];

    public PeerPlace() => Store = new RemoteObjectStore("peer:there", _ => Task.FromResult<ITunnelSession>(
        IsAway ? throw new TunnelException(TunnelFailure.PeerUnreachable, "The peer does not answer.") : Dial()));

    /// <summary>Nobody reaches it.</summary>
    public bool IsAway { get; set; }

    /// <summary>The place, from the other machine.</summary>
    public RemoteObjectStore Store { get; }

    public string Path => _directory.FullName;

    /// <summary>What the disk of the place still holds.</summary>
    public long FreeBytes { get; set; } = 1L << 40;

    public int Dials { get; private set; }

    /// <summary>What the peer does in the place, if it is more than that.</summary>
    public Func<IObjectStore, IObjectStore> Around { get; init; } = place => place;

    /// <summary>Both ends of the last session.</summary>
    public InMemorySession Near { get; private set; } = InMemorySession.CreatePair().First;

    /// <summary>How the service of the last session ended.</summary>
    public Task Serving => _serving[^1];

    /// <summary>Reaches the peer, which opens its place when it is asked.</summary>
    public InMemorySession Dial()
    {
        Dials++;
        (Near, InMemorySession far) = InMemorySession.CreatePair();
        _serving.Add(ServeAsync(far));
        return Near;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await Near.DisposeAsync();
        foreach (Task serving in _serving)
            await Assert.ThrowsAnyAsync<Exception>(() => serving);
        await _world.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private async Task ServeAsync(InMemorySession session)
    {
        await using (session)
        {
            await using ITunnelStream stream = await session.AcceptStreamAsync();
            TargetQuestion question = await new TargetRunner(_world.Target.Environment).ReadQuestionAsync(stream, "here", default);
            Assert.Equal(QuestionSubject.Place, question.Subject);
            await question.AnswerAsync(default);
            await new PlaceServer(Around(new DirectoryObjectStore(Path)), () => FreeBytes).ServeAsync(session, default);
        }
    }
}
