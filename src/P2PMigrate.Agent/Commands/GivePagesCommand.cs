using System.CommandLine;
using P2PMigrate.Containers.Lazy;

namespace P2PMigrate.Agent.Commands;

/// <summary>What <c>p2pmigrate</c> starts itself as, in a session of its own, to give memory pages to a container that it has restored. Nobody types it.</summary>
internal sealed class GivePagesCommand : Command
{
    private const string Verb = "give-pages", Host = "dotnet";

    private readonly Argument<string[]> _words = new("words");

    public GivePagesCommand()
        : base(Verb, "Gives memory pages to a restored container.")
    {
        Hidden = true;
        Arguments.Add(_words);
        SetAction(parsed => PageProgram.Run(parsed.GetValue(_words)!));
    }

    /// <summary>The command line of this program, up to its words.</summary>
    public static IReadOnlyList<string> Line => Environment.ProcessPath is { } program && Path.GetFileName(program) == Host
        ? [program, Path.GetFullPath(Environment.GetCommandLineArgs()[0]), Verb]
        : [Environment.ProcessPath ?? Environment.GetCommandLineArgs()[0], Verb];
}
