using System.Globalization;
using P2PMigrate.Lab;

namespace P2PMigrate.Demo;

/// <summary>What the user chose: the NAT before both peers, how many keys redis holds, where the program lies, and whether the stages are typed by hand.</summary>
internal sealed record DemoOptions(NatKind Nat, int Keys, string AgentDirectory, bool ByStages = false)
{
    public static DemoOptions Parse(string[] args)
    {
        var options = new DemoOptions(NatKind.PortRestricted, 50_000, Environment.GetEnvironmentVariable("P2PMIGRATE_AGENT") ?? "artifacts/agent");
        for (int i = 0; i < args.Length; i++)
        {
            string Value() => ++i < args.Length ? args[i] : throw new LabException($"{args[i - 1]} needs a value");
            options = args[i] switch
            {
                "--stages" => options with { ByStages = true },
                "--nat" => options with { Nat = NatKind.Parse(Value()) },
                "--keys" => int.TryParse(Value(), CultureInfo.InvariantCulture, out int keys) && keys > 0
                    ? options with { Keys = keys }
                    : throw new LabException($"--keys {args[i]} is no count"),
                _ => throw new LabException($"`{args[i]}` is no option; see bench/demo --help"),
            };
        }
        return options;
    }
}
