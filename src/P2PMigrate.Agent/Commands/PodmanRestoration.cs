using System.Diagnostics;
using P2PMigrate.Agent.Output;
using P2PMigrate.Containers.Podman;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate restore FILE</c> of a file that Podman has written: looks first, then has Podman restore it.</summary>
internal sealed class PodmanRestoration(PodmanOptions podman, IOutput output)
{
    /// <summary>Runs the container of <paramref name="file"/>, or says why not.</summary>
    public async Task<ExitCode> RunAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            long start = Stopwatch.GetTimestamp();
            PodmanImport import = await PodmanImport.OpenAsync(podman, file, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<Finding> findings = await import.CheckAsync(cancellationToken).ConfigureAwait(false);
            foreach (Finding finding in findings.Where(finding => finding.Severity != FindingSeverity.Good)) output.Show(MigrationView.Of(finding, "here"));
            if (findings.FirstOrDefault(finding => finding.Severity == FindingSeverity.Blocker) is { } blocker)
                return Fail($"{import.Container} cannot run here: {blocker.Message}", ExitCode.Preflight);
            await import.RunAsync(cancellationToken).ConfigureAwait(false);
            output.Show(new ArchiveRestored(import.Container, import.CreatedAt, import.MemoryBytes, Math.Round(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 1))
            {
                Warning = $"Podman's archives do not say whether the container was left running: if {import.Container} still runs where this one was made, there are two of it now.",
            });
            return ExitCode.Done;
        }
        catch (Exception failed) when (failed is ContainerException or IOException or UnauthorizedAccessException)
        {
            return Fail($"{failed.Message} Nothing of the container is left here.", ExitCode.NotRestored);
        }
        catch (OperationCanceledException)
        {
            return Fail("Interrupted; nothing of the container is left here.", ExitCode.NotRestored);
        }
    }

    private ExitCode Fail(string reason, ExitCode code)
    {
        output.Show(new MigrationFailed(reason, "none"));
        return code;
    }
}
