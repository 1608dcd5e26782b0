using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench.Contenders;

/// <summary>
/// What no migration by CRIU can beat: CRIU called directly, dump and restore of the same processes on one machine, images in memory, no runtime, no network
/// between. Lazy: only what is needed to run is restored at once, the rest on fault.
/// </summary>
internal sealed class CriuFloor(bool lazy) : IContender
{
    public string Name => lazy ? "criu lazy, one machine" : "criu, one machine";

    public string? WhyNot => null;

    public bool Moves => false;

    public async Task<IReadOnlyDictionary<string, double>> MoveAsync(TwoHosts hosts, CancellationToken cancellationToken)
    {
        string script = $"NAME={TwoHosts.Container} BUNDLE={TwoHosts.Bundle} LAZY={(lazy ? "yes" : "")}\n{Resource.Text("criu-floor.sh")}";
        return Figures.Parse(await hosts.Source.ShellAsync(script, cancellationToken));
    }
}

/// <summary>Lines of <c>name number</c>, as the scripts print them.</summary>
internal static class Figures
{
    public static IReadOnlyDictionary<string, double> Parse(string output) =>
        output.Split('\n').Select(line => line.Split(' ')).Where(words => words.Length == 2 && double.TryParse(words[1], out _))
            .ToDictionary(words => words[0], words => double.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture));
}
