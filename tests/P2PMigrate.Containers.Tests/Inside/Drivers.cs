using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// Programs that other tests start as processes of their own, to kill them. Which container they work on is in the
/// environment; a file says how far they got.
/// </summary>
public sealed class Drivers
{
    public const string ContainerVariable = "P2PMIGRATE_TEST_CONTAINER";
    public const string PageWordsVariable = "P2PMIGRATE_TEST_PAGE_WORDS";
    public const string ReachedFile = "reached";

    private static string Container => Environment.GetEnvironmentVariable(ContainerVariable)!;

    [InsideFact]
    public async Task Freeze_and_wait()
    {
        Move move = await Move.PrepareAsync(Container);
        await move.FreezeAsync();
        await WaitForDeathAsync(move);
    }

    [InsideFact]
    public async Task Plan_and_wait()
    {
        Move move = await Move.PrepareAsync(Container);
        await move.PlanAsync();
        await WaitForDeathAsync(move);
    }

    [InsideFact]
    public async Task Dump_into_a_sink_that_never_ends()
    {
        Move move = await Move.PrepareAsync(Container);
        IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence, new StuckPages(() => Announce(move)));
    }

    [InsideFact]
    public async Task Restore_and_hold()
    {
        Move move = await Move.PrepareAsync(Container);
        await move.DumpAsync(await move.FreezeAsync());
        await move.CopyAsync();
        await move.RestoreAsync();
        await WaitForDeathAsync(move);
    }

    /// <summary>Freezes and dumps; killed at any moment after it said that it begins.</summary>
    [InsideFact]
    public async Task Freeze_and_dump()
    {
        Move move = await Move.PrepareAsync(Container);
        Announce(move);
        await move.DumpAsync(await move.FreezeAsync(), new Criu.RecordedPages());
        await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
    }

    /// <summary>Only restores: the test has dumped. Killed at any moment after it said that it begins.</summary>
    [InsideFact]
    public async Task Restore()
    {
        Move move = Move.Of(Container);
        Announce(move);
        await Move.Runtime.RestoreAsync(move.Request, TestContext.Current.CancellationToken);
        await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
    }

    /// <summary>Gives pages: what <c>p2pmigrate</c> does with the words that are in the environment.</summary>
    [InsideFact]
    public void Give_pages() => Assert.Equal(0, Containers.Lazy.PageProgram.Run(Environment.GetEnvironmentVariable(PageWordsVariable)!.Split(' ')));

    private static Task WaitForDeathAsync(Move move)
    {
        Announce(move);
        return Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
    }

    private static void Announce(Move move) => File.WriteAllText(Path.Combine(move.SourceDirectory, ReachedFile), Environment.ProcessId.ToString());
}

/// <summary>A sink that takes the first pages and then waits for ever.</summary>
internal sealed class StuckPages(Action reached) : IPageSink
{
    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        reached();
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
