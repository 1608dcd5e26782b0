using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A whole migration of a program that knows what its memory must be, from this host to this host.</summary>
internal static class HomeMigration
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Runs it to its end.</summary>
    public static async Task<MigrationOutcome> RunAsync(
        Workload workload, IContainerRuntime inner, CopyOptions copy, IProgress<MigrationProgress>? progress = null, Func<Task>? frozen = null, Func<string, Task>? complete = null)
    {
        var runtime = new HomeRuntime(inner) { Frozen = frozen ?? (() => Task.CompletedTask), Complete = complete ?? (_ => Task.CompletedTask) };
        MigrationEnvironment Environment(string side) => new() { Runtime = runtime, State = new StateDirectory($"/data/state-{workload.Name}/{side}") };
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        Task<ReceiveOutcome> receiving = Task.Run(() => new TargetRunner(Environment("target")).ReceiveAsync(
            far, new ReceiveOptions { PeerName = "one", AdmitAsync = _ => ValueTask.FromResult<string?>(null) }, cancellationToken: Token));
        MigrationOutcome outcome = await new SourceRunner(Environment("source")).SendAsync(
            near, await runtime.InspectAsync(workload.Name, null, Token), new SendOptions { PeerName = "two", Copy = copy }, progress, Token);
        await near.CloseAsync(0, "done", Token);
        await receiving;
        TestContext.Current.TestOutputHelper?.WriteLine(outcome.ToString());
        return outcome;
    }

    public static MigrationCompleted Completed(MigrationOutcome outcome) =>
        outcome as MigrationCompleted ?? throw new Xunit.Sdk.XunitException(((MigrationFailed)outcome).Reason);

    /// <summary>The program itself knows what each page must be.</summary>
    public static async Task AssertMemoryIsRightAsync(Workload workload)
    {
        string moved = workload.Name + HomeRuntime.Suffix, root = $"/data/state-{workload.Name}/target/containers/{moved}/rootfs";
        try
        {
            Assert.Equal("running", await Workload.StatusAsync(moved));
            Assert.Equal("gone", await Workload.StatusAsync(workload.Name));
            string answer = await Shell.RunAsync($"touch {root}/check; timeout 30 sh -c 'until [ -e {root}/checked ]; do sleep 0.05; done'; cat {root}/checked");
            TestContext.Current.TestOutputHelper?.WriteLine(answer);
            Assert.StartsWith("0 wrong", answer, StringComparison.Ordinal);
        }
        finally
        {
            await Shell.RunAsync($"{IGround.Current.Removal(moved)}; rm -rf --one-file-system /data/state-{workload.Name}");
        }
    }
}
