using System.Diagnostics;
using P2PMigrate.Agent.Output;
using P2PMigrate.Containers.Podman;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate restore FILE</c> of a file that Podman has written: looks first, then has Podman restore it.</summary>
internal sealed class PodmanRestoration(PodmanOptions podman, StateDirectory state, IOutput output)
{
    /// <summary>Runs the container of <paramref name="file"/>, or says why not. Once Podman has begun, it is let come to its end.</summary>
    public async Task<ExitCode> RunAsync(string file, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        PodmanImport import;
        try
        {
            import = await PodmanImport.OpenAsync(podman, file, cancellationToken).ConfigureAwait(false);
            if (!ContainerName.TryParse(import.Container, out ContainerName name))
                return Fail($"The container's name '{import.Container}' has more than {ContainerName.LengthMax} characters, which is the most here. Podman restores it itself, under another one: podman container restore --import {file} --name NAME", ExitCode.Preflight);
            using ContainerTurn? turn = ContainerTurn.TryTake(state, name);
            if (turn is null)
                return Fail($"'{import.Container}' takes part in a migration or another restore here, or one of it is unfinished: p2pmigrate jobs", ExitCode.Preflight);
            if (await IsRefusedAsync(import, cancellationToken).ConfigureAwait(false))
                return ExitCode.Preflight;
            await import.RunAsync().ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is ContainerException or IOException or UnauthorizedAccessException)
        {
            return Fail(failed.Message, ExitCode.NotRestored);
        }
        catch (OperationCanceledException)
        {
            return Fail("Interrupted before anything was restored.", ExitCode.NotRestored);
        }

        output.Show(new ArchiveRestored(import.Container, import.CreatedAt, import.MemoryBytes, Math.Round(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 1))
        {
            Warning = $"Podman's archives do not say whether the container was left running: if {import.Container} still runs where this one was made, there are two of it now.",
        });
        return ExitCode.Done;
    }

    private async Task<bool> IsRefusedAsync(PodmanImport import, CancellationToken cancellationToken)
    {
        IReadOnlyList<Finding> findings = await import.CheckAsync(cancellationToken).ConfigureAwait(false);
        foreach (Finding finding in findings.Where(finding => finding.Severity != FindingSeverity.Good)) output.Show(MigrationView.Of(finding, "here"));
        if (findings.FirstOrDefault(finding => finding.Severity == FindingSeverity.Blocker) is not { } blocker)
            return false;
        output.Show(new Output.MigrationFailed($"{import.Container} cannot run here: {blocker.Message}", "none"));
        return true;
    }

    private ExitCode Fail(string reason, ExitCode code)
    {
        output.Show(new Output.MigrationFailed(reason, "none"));
        return code;
    }
}
