using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Output;

/// <summary>Shows a job's progress as it is reported, on the reporting thread: nothing overtakes the result.</summary>
internal sealed class ProgressView(IOutput output, bool isTarget = false) : IProgress<MigrationProgress>
{
    public void Report(MigrationProgress value)
    {
        if (value is { Kind: ProgressKind.Started, Phase: MigrationPhase.Giving })
            output.Show(new MemoryFollows(value.Container) { IsTarget = isTarget });
        output.Show(MigrationView.Of(value));
    }
}
