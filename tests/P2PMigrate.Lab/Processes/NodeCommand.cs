namespace P2PMigrate.Lab;

/// <summary>A program to run inside a node of the lab.</summary>
public sealed record NodeCommand(string Program, IReadOnlyList<string> Arguments)
{
    private const int LongestDescription = 200;

    /// <summary>Set on top of what the node gives: a plain root's environment in a virtual host, the machine's elsewhere.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Null: the root directory in a virtual host, this process's directory elsewhere.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Written to the program's standard input, which is then closed. Null: closed at once, or left to <see cref="LabProcess.Input"/>.</summary>
    public string? Input { get; init; }

    /// <summary>A script for <c>/bin/sh</c> that stops at the first command that fails.</summary>
    public static NodeCommand Shell(string script) => new("/bin/sh", ["-ec", script]);

    /// <summary>The command line, shortened for messages.</summary>
    public override string ToString()
    {
        string line = string.Join(' ', Arguments.Prepend(Program));
        return line.Length <= LongestDescription ? line : line[..LongestDescription] + "…";
    }
}
