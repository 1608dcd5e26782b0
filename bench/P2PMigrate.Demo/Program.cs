using P2PMigrate.Demo;
using P2PMigrate.Lab;

if (args.Contains("--help"))
{
    Console.WriteLine("usage: bench/demo [--stages] [--nat port-restricted|symmetric] [--keys N]");
    return 0;
}

try
{
    DemoOptions options = DemoOptions.Parse(args);
    return await (options.ByStages ? new StagesDemo(options).RunAsync() : new MigrationDemo(options).RunAsync()) ? 0 : 1;
}
catch (LabException exception)
{
    Console.Error.WriteLine($"The demo failed: {exception.Message}");
    return 1;
}
