using System.ComponentModel;
using System.Diagnostics;

namespace P2PMigrate.Lab;

/// <summary>Runs the machine's own programs (<c>ip</c>, <c>nft</c>, <c>mmdebstrap</c>, …) to their end.</summary>
internal static class Tool
{
    /// <summary>Runs a program and throws a <see cref="LabException"/> unless it exits with 0.</summary>
    public static async Task<string> RequireAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken = default)
    {
        CommandResult result = await RunAsync(program, arguments, input: null, cancellationToken).ConfigureAwait(false);
        return result.EnsureSuccess().Output;
    }

    /// <summary>Runs a program; a cancelled wait kills it with its descendants.</summary>
    public static async Task<CommandResult> RunAsync(
        string program, IEnumerable<string> arguments, string? input, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Launch(start);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await FeedAsync(process, input).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            // Not the end yet: what it has left running may hold its streams.
            await Task.WhenAll(output, error).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return new CommandResult(
            Describe(start), process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }

    /// <summary>Starts a process; a program that is not there becomes a sentence instead of an errno.</summary>
    public static Process Launch(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new LabException($"`{start.FileName}` could not be started");
        }
        catch (Win32Exception cause)
        {
            throw new LabException($"`{start.FileName}` could not be started ({cause.Message}); tests/install installs what the lab needs", cause);
        }
    }

    public static string Describe(ProcessStartInfo start) => string.Join(' ', start.ArgumentList.Prepend(start.FileName));

    private static async Task FeedAsync(Process process, string? input)
    {
        try
        {
            if (input is not null) await process.StandardInput.WriteAsync(input).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all its input: its exit code says why.
        }
    }
}
