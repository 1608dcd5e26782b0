namespace P2PMigrate.Lab;

/// <summary>What a finished command left: its exit code (128 + signal when killed) and all it printed.</summary>
public sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>Returns this result, or throws a <see cref="LabException"/> that says which command failed and why.</summary>
    public CommandResult EnsureSuccess() => Succeeded ? this : throw new LabException(ToString());

    public override string ToString()
    {
        string said = string.IsNullOrWhiteSpace(Error) ? Output : Error;
        return $"`{CommandLine}` exited with {ExitCode}: {said.Trim()}";
    }
}
