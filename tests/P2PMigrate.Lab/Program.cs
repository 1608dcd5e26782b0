using System.CommandLine;
using P2PMigrate.Lab;

var root = new RootCommand("Virtual hosts and NATs on one machine, for trying migrations") { HostCommands.Create(), ContainerCommands.Create(), LinkCommands.Create() };
foreach (Command command in LabCommands.Create()) root.Add(command);
try
{
    // An interrupted `up --hold` takes its lab down: that needs longer than the library grants by itself.
    var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(1) };
    return await root.Parse(args).InvokeAsync(invocation).ConfigureAwait(false);
}
catch (LabException failure)
{
    await Console.Error.WriteLineAsync("p2pmigrate-lab: " + failure.Message).ConfigureAwait(false);
    return 1;
}
