using System.CommandLine;

namespace P2PMigrate.Lab;

/// <summary>The commands that deal with whole labs.</summary>
internal static class LabCommands
{
    public static Option<string[]> BindOption() => new("--bind")
    {
        Description = "SOURCE:/TARGET[:ro]: show a directory or file of this machine in the host; may be repeated",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Clean()
    {
        var command = new Command("clean", "Remove what labs of crashed owners left behind");
        command.SetAction(async (_, cancellationToken) =>
        {
            foreach (string name in await LabRemains.RemoveOrphansAsync(cancellationToken).ConfigureAwait(false)) Console.WriteLine($"removed {name}");
        });
        return command;
    }
}
