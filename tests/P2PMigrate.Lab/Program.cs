using System.CommandLine;
using P2PMigrate.Lab;

var root = new RootCommand("Virtual hosts and NATs on one machine, for trying migrations") { HostCommands.Create(), LabCommands.Clean() };
try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }).ConfigureAwait(false);
}
catch (LabException failure)
{
    await Console.Error.WriteLineAsync("p2pmigrate-lab: " + failure.Message).ConfigureAwait(false);
    return 1;
}
