using System.Globalization;
using P2PMigrate.RendezvousBench;

return args switch
{
    ["serve"] => await ServerProcess.ServeAsync(),
    _ when Plan(args) is { } plan => await MeasureAsync(plan.Plan, plan.Output),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: bench/rendezvous [--peers N] [--hold SECONDS] [--rates N,N,…] [--out DIRECTORY]");
    return 2;
}

static (LoadPlan Plan, string Output)? Plan(string[] args)
{
    (LoadPlan plan, string output) = (new LoadPlan(), "artifacts/bench");
    for (int i = 0; i < args.Length; i += 2)
    {
        string? value = i + 1 < args.Length ? args[i + 1] : null;
        switch (args[i])
        {
            case "--peers" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int peers) && peers is > 0 and <= 60_000:
                plan = plan with { Peers = peers };
                break;
            case "--hold" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds):
                plan = plan with { Hold = TimeSpan.FromSeconds(seconds) };
                break;
            case "--rates" when value is not null:
                plan = plan with { OfferRates = [.. value.Split(',').Select(rate => int.Parse(rate, CultureInfo.InvariantCulture))] };
                break;
            case "--out" when value is not null:
                output = value;
                break;
            default:
                return null;
        }
    }

    return (plan, output);
}

static async Task<int> MeasureAsync(LoadPlan plan, string output)
{
    await using ServerProcess server = await ServerProcess.StartAsync();
    LoadFigures figures = await LoadRun.RunAsync(plan, server.Address, server.ReadAsync, line => Console.Error.WriteLine(line));
    Directory.CreateDirectory(output);
    await File.WriteAllTextAsync(Path.Combine(output, "rendezvous.json"), figures.ToJson());
    await File.WriteAllTextAsync(Path.Combine(output, "rendezvous.md"), figures.ToMarkdown());
    Console.WriteLine(figures.ToMarkdown());
    return figures.RegisteredAtEnd == plan.Peers ? 0 : 1;
}
