using System.Xml.Linq;

namespace P2PMigrate.Architecture.Tests;

/// <summary>Each assembly is a promise about what it may touch: these are the only arrows.</summary>
public sealed class AssemblyArrowTests
{
    private static readonly Dictionary<string, string[]> s_arrows = new()
    {
        ["Protocol"] = [],
        ["Snapshot"] = [],
        ["Tunnel"] = ["Protocol"],
        ["Rendezvous"] = ["Protocol", "Tunnel"],
        ["Migration"] = ["Tunnel", "Snapshot"],
        ["Containers"] = ["Migration"],
        ["Agent"] = ["Containers", "Rendezvous"],
    };

    /// <summary>Packages that would break an assembly's promise, and why it holds none of them.</summary>
    private static readonly Dictionary<string, string[]> s_packages = new()
    {
        ["Protocol"] = ["NSec.Cryptography"],
        ["Snapshot"] = ["Google.Protobuf", "K4os.Compression.LZ4", "NSec.Cryptography", "Grpc.Tools", "System.IO.Hashing", "ZstdSharp.Port"],
    };

    [Fact]
    public void Every_assembly_references_only_what_the_design_allows()
    {
        var found = Repository.Files("src", "*.csproj").ToDictionary(
            project => Path.GetFileNameWithoutExtension(project.RelativePath)["P2PMigrate.".Length..],
            project => XDocument.Parse(project.Text).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!)["P2PMigrate.".Length..])
                .Order().ToArray());
        Assert.Equal(s_arrows.Keys.Order(), found.Keys.Order());
        Assert.All(s_arrows, arrow => Assert.Equal(arrow.Value.Order(), found[arrow.Key]));
    }

    [Fact]
    public void The_pure_assemblies_use_only_the_packages_they_exist_for() =>
        Assert.All(s_packages, allowed => Assert.Subset(
            allowed.Value.ToHashSet(),
            XDocument.Load(Path.Combine(Repository.Root, $"src/P2PMigrate.{allowed.Key}/P2PMigrate.{allowed.Key}.csproj"))
                .Descendants("PackageReference").Select(package => (string)package.Attribute("Include")!).ToHashSet()));

    [Fact]
    public void Serilog_is_known_only_to_the_agent() =>
        Assert.DoesNotContain(
            Repository.Files("src", "*.cs").Where(file => file.Segments[1] != "P2PMigrate.Agent"),
            file => file.Text.Contains("Serilog", StringComparison.Ordinal));

    [Fact]
    public void Every_assembly_has_a_readme_that_states_its_promise() =>
        Assert.All(s_arrows.Keys, name => Assert.InRange(
            File.ReadAllLines(Path.Combine(Repository.Root, $"src/P2PMigrate.{name}/README.md")).Length, 5, 60));
}
