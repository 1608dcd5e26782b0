using System.CommandLine;
using System.CommandLine.Parsing;
using P2PMigrate.Agent;
using P2PMigrate.Agent.Commands;

// A rollback may take a while after Ctrl-C: the program ends when the container runs again, not before.
TimeSpan rollbackTime = TimeSpan.FromMinutes(5);

var root = new RootCommand("Moves a running container to another machine, directly, through NATs, with one command.")
{
    new MigrateCommand(),
    new ReceiveCommand(),
    new CheckpointCommand(),
    new RestoreCommand(),
    new PushCommand(),
    new PullCommand(),
    new RendezvousCommand(),
    new PingCommand(),
    new NetcheckCommand(),
    new SpeedtestCommand(),
    new CheckCommand(),
    new IdCommand(),
    new JobsCommand(),
    new AbortCommand(),
    new ResumeCommand(),
    new ResolveCommand(),
    new GivePagesCommand(),
};

ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Errors.Count > 0)
{
    foreach (ParseError error in parsed.Errors)
        Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine($"Try: p2pmigrate {string.Join(' ', args.Take(1).Where(arg => !arg.StartsWith('-')))} --help");
    return (int)ExitCode.Usage;
}
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = rollbackTime });
