using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Fuzz.Targets;

// P2PMigrate.Fuzz list                                  the names of all targets
// P2PMigrate.Fuzz instrument FOLDER                     makes the product's assemblies there report coverage
// P2PMigrate.Fuzz run TARGET SECONDS FOLDER [SEED]      fuzzes; findings and new inputs go to FOLDER
// P2PMigrate.Fuzz replay TARGET FILE...                 runs inputs again, with the whole exception
ThrowingListener.Install();
var coverage = new CoverageMap(); // Before the first line of instrumented code runs, which writes into it.
switch (args)
{
    case ["list"]:
        foreach (FuzzTarget target in AllTargets.List)
            Console.WriteLine(target.Name);
        return 0;
    case ["instrument", string folder]:
        foreach (string assembly in Directory.EnumerateFiles(folder, "*.dll").Where(IsProduct))
            SharpFuzz.Fuzzer.Instrument(assembly, _ => true, SharpFuzz.Options.Value);
        return 0;
    case ["run", string name, string seconds, string folder, .. string[] rest]:
        var loop = new FuzzLoop(AllTargets.Get(name), coverage, folder, rest is [string seed] ? int.Parse(seed, null) : 1);
        return loop.Run(TimeSpan.FromSeconds(int.Parse(seconds, null))) == 0 ? 0 : 1;
    case ["replay", string name, .. string[] files]:
        foreach (string file in files)
            AllTargets.Get(name).Run(File.ReadAllBytes(file));
        return 0;
    default:
        Console.Error.WriteLine("list | instrument FOLDER | run TARGET SECONDS FOLDER [SEED] | replay TARGET FILE...");
        return 2;
}

static bool IsProduct(string file) =>
    Path.GetFileName(file).StartsWith("p2pmigrate", StringComparison.OrdinalIgnoreCase) && !file.EndsWith("Fuzz.dll", StringComparison.Ordinal);
