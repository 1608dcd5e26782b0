using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary>What comes before a container of this machine is stopped by any command.</summary>
internal static class SourcePreparation
{
    /// <summary>Deals with what an earlier, interrupted job of this container left; an exit code when the command must not go on.</summary>
    public static async Task<ExitCode?> RecoverAsync(
        CommandContext context, MigrationEnvironment environment, string name, CancellationToken cancellationToken)
    {
        IOutput output = context.Output;
        foreach (OpenDoubt doubt in new DoubtInquiry(environment).FindAll(name))
        {
            TargetHeard heard = await TargetsWord.AskAsync(context, environment, doubt, cancellationToken).ConfigureAwait(false);
            if (!heard.EndsDoubt)
                continue;
            output.Show(JobView.Of(heard.Job!));
            if (heard.Job!.HasContainerEnded)
                return ShowEnd(output, heard.Job);
        }

        IReadOnlyList<RecoveredJob> jobs = await new JobRecovery(environment).RecoverSourceAsync(name, cancellationToken).ConfigureAwait(false);
        foreach (RecoveredJob job in jobs)
            output.Show(JobView.Of(job));
        RecoveredJob? hindrance = jobs.FirstOrDefault(job => job.HasContainerEnded)
            ?? jobs.FirstOrDefault(job => job.Action is RecoveryAction.InDoubt or RecoveryAction.Failed);
        return hindrance is null ? null : ShowEnd(output, hindrance);
    }

    private static ExitCode ShowEnd(IOutput output, RecoveredJob hindrance)
    {
        output.Show(JobView.Failure(hindrance));
        return JobView.CodeOf(hindrance);
    }

    /// <summary>Can this machine and this container do it? Shows whatever is not good.</summary>
    public static async Task<bool> CheckAsync(
        IContainerRuntime runtime, ContainerDescription container, IOutput output, CancellationToken cancellationToken)
    {
        Finding[] findings =
        [
            .. await (runtime.Of(container.Runtime) ?? runtime).CheckMachineAsync(cancellationToken).ConfigureAwait(false),
            .. await runtime.CheckSourceAsync(container, cancellationToken).ConfigureAwait(false),
        ];
        foreach (Finding finding in findings.Where(finding => finding.Severity != FindingSeverity.Good))
            output.Show(MigrationView.Of(finding, "here"));
        if (findings.FirstOrDefault(finding => finding.Severity == FindingSeverity.Blocker) is not { } blocker)
            return true;
        output.Show(new Output.MigrationFailed($"{blocker.Subject}: {blocker.Message}", "source") { Remedy = blocker.Remedy });
        return false;
    }
}
