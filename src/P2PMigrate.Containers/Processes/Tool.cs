using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Processes;

/// <summary>What a finished program printed, and its exit code.</summary>
internal sealed record ToolResult(string CommandLine, int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>Returns this, or throws with what the program said.</summary>
    public ToolResult Require(string purpose) => Succeeded
        ? this
        : throw new ContainerException($"Cannot {purpose}: `{CommandLine}` failed with \"{(Error.Length > 0 ? Error : Output).Trim()}\".");
}

/// <summary>
/// Runs short, harmless programs to their end (version questions, <c>runc state</c>, <c>ip link</c>). They are killed when they
/// take too long or are cancelled: never run a dump with this.
/// </summary>
internal static class Tool
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <summary>Is there such a program on PATH?</summary>
    public static bool Exists(string program) =>
        program.Contains('/', StringComparison.Ordinal)
            ? File.Exists(program)
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => directory.Length > 0 && File.Exists(Path.Combine(directory, program)));

    /// <summary>The path of a program on PATH, or its name where it is not there.</summary>
    public static string PathOf(string program) => program.Contains('/', StringComparison.Ordinal)
        ? program
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(directory => directory.Length > 0).Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists) ?? program;

    /// <summary>Runs a program; throws <see cref="ContainerException"/> when it cannot be started or does not end within <paramref name="patience"/>, half a minute where nothing else is said.</summary>
    public static async Task<ToolResult> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        using var process = new Process { StartInfo = Describe(program, arguments) };
        string line = string.Join(' ', [program, .. process.StartInfo.ArgumentList]);
        Start(process, program);
        process.StandardInput.Close();
        // What was read from is left open by its process.
        using StreamReader standardOutput = process.StandardOutput, standardError = process.StandardError;

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience ?? s_limit);
        try
        {
            Task<string> output = standardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = standardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return new ToolResult(line, process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new ContainerException($"`{line}` did not end within {s_limit.TotalSeconds:0} s.");
        }
    }

    private static ProcessStartInfo Describe(string program, IEnumerable<string> arguments) => new(program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardOutputEncoding = Encoding.UTF8,
        StandardErrorEncoding = Encoding.UTF8,
    };

    private static void Start(Process process, string program)
    {
        try
        {
            process.Start();
        }
        catch (Win32Exception missing)
        {
            throw new ContainerException($"The program {program} cannot be started ({missing.Message}); is it installed?", inner: missing);
        }
    }
}
