using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Stages;

/// <summary>Two machines that have nothing in common but a directory between them, which counts what is put there.</summary>
internal sealed class StageRig : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-stages-").FullName;

    private Runtime.ContainerDescription? _container;

    private readonly IObjectStore _targetPlace;

    public StageRig()
        : this(null, null)
    {
    }

    /// <summary>The same with another place, which each machine sees in its own way.</summary>
    public StageRig(IObjectStore? atSource, IObjectStore? atTarget)
    {
        Assert.True(ContainerName.TryParse(MigrationRig.Container, out ContainerName name));
        (Name, Place) = (name, new CountingPlace(atSource ?? new DirectoryObjectStore(_directory)));
        _targetPlace = atTarget ?? Place;
    }

    public MigrationRig World { get; } = new();

    public ContainerName Name { get; }

    public CountingPlace Place { get; }

    /// <summary>What happens at one step.</summary>
    public void AtStep(string step, Action action) => World.AtStep = at =>
    {
        if (at == step)
            action();
        return Task.CompletedTask;
    };

    public async Task<ContentPushed> PrepareDataAsync() => await new PushRunner(World.Source.Environment, Place).RunAsync(await InspectAsync());

    public Task<ContentPulled> ImportDataAsync() => new PullRunner(World.Target.Environment, _targetPlace).ImportAsync(Name);

    public async Task<MigrationOutcome> CreateDumpAsync() => await new CreateDumpRunner(World.Source.Environment, Place).RunAsync(await InspectAsync(), JobId.Create());

    public Task<MigrationOutcome> RestoreDumpAsync() => new RestoreDumpRunner(World.Target.Environment, _targetPlace).RunAsync(Name);

    /// <summary>A person's word at the source.</summary>
    public Task<RecoveredJob> ResolveAsync(JobId job, ContainerSide keep, bool placeIsLost = false) => World.Source.Recovery.ResolveAsync(job, keep, placeIsLost ? LostForGood.Place : LostForGood.Nothing, default);

    /// <summary>Another machine's directory, mounted where the place was.</summary>
    public void MountElse(Action during)
    {
        string aside = _directory + "-aside";
        Directory.Move(_directory, aside);
        Directory.CreateDirectory(_directory);
        during();
        Directory.Delete(_directory, recursive: true);
        Directory.Move(aside, _directory);
    }

    public Task<RecoveredJob> UnfreezeAsync() => new UnfreezeRunner(World.Source.Environment with { OpenPlace = _ => Place }).RunAsync(Name);

    /// <summary>The first three stages.</summary>
    public async Task<DumpCreated> DumpedAsync()
    {
        await PrepareDataAsync();
        await ImportDataAsync();
        return Assert.IsType<DumpCreated>(await CreateDumpAsync());
    }

    public IEnumerable<string> Objects(string folder) => Directory.Exists(Path.Combine(_directory, Name.Value, folder))
        ? Directory.EnumerateFiles(Path.Combine(_directory, Name.Value, folder), "*", SearchOption.AllDirectories) : [];

    /// <summary>Content for the source that does not compress.</summary>
    public void Fill(int megabytes)
    {
        byte[] content = new byte[1 << 20];
        for (int i = 0; i < megabytes; i++)
        {
            new Random(i).NextBytes(content);
            File.WriteAllBytes(Path.Combine(World.SourceCopy!.Root, $"big-{i}"), content);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await World.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>As it was when it ran: one that is frozen is not inspected.</summary>
    private async Task<Runtime.ContainerDescription> InspectAsync() => _container ??= await World.Source.Runtime.InspectAsync(MigrationRig.Container, null, default);
}

/// <summary>A place that counts, and that fails where a test wants it to.</summary>
internal sealed class CountingPlace(IObjectStore inner) : IObjectStore
{
    public string Place => inner.Place;

    public long CreatedBytes { get; private set; }

    /// <summary>Called with the name of each object before it is created.</summary>
    public Action<string>? Creating { get; set; }

    /// <summary>Called with the name of each object when it is there.</summary>
    public Action<string>? Created { get; set; }

    public async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Creating?.Invoke(name);
        bool isNew = await inner.TryCreateAsync(name, content, cancellationToken);
        CreatedBytes += isNew ? content.Length : 0;
        Created?.Invoke(name);
        return isNew;
    }

    public Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken) => inner.TryReadAsync(name, cancellationToken);

    public Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    /// <summary>Called with the name of each object when it is there no more.</summary>
    public Action<string>? Deleted { get; set; }

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await inner.DeleteAsync(name, cancellationToken);
        Deleted?.Invoke(name);
    }
}
