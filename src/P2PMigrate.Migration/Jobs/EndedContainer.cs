using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Jobs;

/// <summary>A container that was to go on where it was, and has ended: it runs nowhere, which is no doubt.</summary>
// spec: MIG-14
internal static class EndedContainer
{
    /// <summary>
    /// Thaws a container that <paramref name="fence"/> holds, if there is one. Returns null when it goes on, and else a sentence for the user. Throws what <see cref="IFence.ThawAsync"/> throws: then
    /// nobody knows.
    /// </summary>
    public static async Task<string?> ThawAsync(IContainerRuntime runtime, ContainerDescription container, IFence? fence)
    {
        bool lives = fence is null
            ? await LivesAsync(runtime, container.Runtime, container.Name).ConfigureAwait(false)
            : await fence.ThawAsync(CancellationToken.None).ConfigureAwait(false);
        return lives ? null
            : $"'{container.Name}' has ended here: its first process did not survive, and it runs nowhere. {HowToStart(runtime, container.Runtime, container.Name, container.BundlePath)}";
    }

    /// <summary>Where its files are, and the command.</summary>
    public static string HowToStart(IContainerRuntime runtime, string runtimeName, string container, string bundle) =>
        (runtime.Of(runtimeName) ?? runtime).HowToStart(container, bundle);

    /// <summary>Of one that nothing holds any more: is it there? Where its runtime does not say, it is taken to run on.</summary>
    public static async Task<bool> LivesAsync(IContainerRuntime runtime, string runtimeName, string container)
    {
        try
        {
            return await (runtime.Of(runtimeName) ?? runtime).LivesAsync(container, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return true; // whatever it says, nothing of the job is left to undo
        }
    }
}
