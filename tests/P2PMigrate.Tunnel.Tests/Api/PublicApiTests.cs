using System.Reflection;

namespace P2PMigrate.Tunnel.Tests.Api;

/// <summary>Others embed this package: its surface changes on purpose only.</summary>
public sealed class PublicApiTests
{
    private static readonly string s_file = Path.Combine(
        typeof(PublicApiTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepoRoot").Value!,
        "tests/P2PMigrate.Tunnel.Tests/Api/PublicApi.txt");

    [Fact]
    public void The_public_surface_is_the_one_that_was_agreed_on()
    {
        string found = PublicApiText.Of(typeof(TunnelEndpoint).Assembly);
        if (Environment.GetEnvironmentVariable("P2PMIGRATE_ACCEPT_API") == "1")
            File.WriteAllText(s_file, found);
        string agreed = File.Exists(s_file) ? File.ReadAllText(s_file) : "";
        string[] before = agreed.Split('\n'), now = found.Split('\n');
        Assert.True(
            agreed == found,
            $"The public API of P2PMigrate.Tunnel changed. If that is meant, run this test with P2PMIGRATE_ACCEPT_API=1 and commit {Path.GetFileName(s_file)}.\n" +
            $"gone:\n{string.Join('\n', before.Except(now))}\nnew:\n{string.Join('\n', now.Except(before))}");
    }
}
