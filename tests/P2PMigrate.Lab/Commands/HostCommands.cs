using System.CommandLine;

namespace P2PMigrate.Lab;

/// <summary><c>host up|exec|down</c>: one virtual host without a network around it.</summary>
internal static class HostCommands
{
    public static Command Create() =>
        new("host", "One virtual host alone, without a network around it") { Up(), Exec(), Down() };

    private static Command Up()
    {
        var name = new Argument<string>("name") { Description = "Name of the host" };
        Option<string[]> bind = LabCommands.BindOption();
        var packages = new Option<string[]>("--package") { Description = "Another package of Debian that it has" };
        var command = new Command("up", "Raise a host; it stays until `host down`") { name, bind, packages };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            BindMount[] binds = [.. (parsed.GetValue(bind) ?? []).Select(BindMount.Parse)];
            await using LoneHost lone = await LoneHost.RaiseAsync(parsed.GetRequiredValue(name), binds, cancellationToken, parsed.GetValue(packages) ?? []).ConfigureAwait(false);
            lone.Disown();
            Console.WriteLine($"{lone.Host.Name} is up, first process {lone.Host.InitPid}, network namespace {lone.Host.NetworkNamespace}");
        });
        return command;
    }

    private static Command Exec()
    {
        var name = new Argument<string>("name");
        Argument<string[]> words = LabCommands.CommandArgument();
        var command = new Command("exec", "Run a command in a host") { name, words };
        command.SetAction((parsed, cancellationToken) =>
        {
            VirtualHost host = LoneHost.Find(parsed.GetRequiredValue(name));
            string[] line = parsed.GetRequiredValue(words);
            return host.RunInForegroundAsync(new NodeCommand(line[0], line[1..]), cancellationToken);
        });
        return command;
    }

    private static Command Down()
    {
        var name = new Argument<string>("name");
        var command = new Command("down", "Remove a host with all that runs in it") { name };
        command.SetAction((parsed, cancellationToken) => LabScope.ReleaseAsync(parsed.GetRequiredValue(name), cancellationToken));
        return command;
    }
}
