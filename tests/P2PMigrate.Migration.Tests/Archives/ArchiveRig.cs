using System.Diagnostics;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Archives;

/// <summary>Two machines that have nothing in common but a directory with an archive.</summary>
internal sealed class ArchiveRig : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-archive-").FullName;

    public MigrationRig World { get; } = new();

    public string File => Path.Combine(_directory, "web.p2pm");

    public IEnumerable<string> Files() => Directory.EnumerateFileSystemEntries(_directory);

    /// <summary>What happens at one step.</summary>
    public void AtStep(string step, Action action) => World.AtStep = at =>
    {
        if (at == step)
            action();
        return Task.CompletedTask;
    };

    public Task<MigrationOutcome> CheckpointAsync(bool isLeftRunning = false) =>
        CheckpointAsync(new CheckpointOptions { Path = File, IsLeftRunning = isLeftRunning });

    public async Task<MigrationOutcome> CheckpointAsync(CheckpointOptions options)
    {
        Runtime.ContainerDescription container = await World.Source.Runtime.InspectAsync(MigrationRig.Container, null, default);
        return await new CheckpointRunner(World.Source.Environment).RunAsync(container, options);
    }

    /// <summary>By a copy: a program that was "killed" in this process still holds the lock of what it wrote.</summary>
    public async Task<MigrationOutcome> RestoreAsync()
    {
        string copy = File + ".copy";
        using Process copying = Process.Start("cp", [File, copy]);
        await copying.WaitForExitAsync();
        await using FileStream archive = System.IO.File.OpenRead(copy);
        return await RestoreAsync(archive);
    }

    /// <summary>Restores, and fails with the reason when that does.</summary>
    public async Task<RestoreCompleted> RestoredAsync(Stream? archive = null) => (archive is null ? await RestoreAsync() : await RestoreAsync(archive)) switch
    {
        RestoreCompleted completed => completed,
        MigrationFailed failed => throw new Xunit.Sdk.XunitException($"The restore failed: {failed.Reason}"),
        var other => throw new Xunit.Sdk.XunitException($"{other}"),
    };

    public Task<MigrationOutcome> RestoreAsync(Stream archive) => new RestoreRunner(World.Target.Environment).RunAsync(archive, JobId.Create());

    public async ValueTask DisposeAsync()
    {
        await World.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
