using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Between two home routers of which one lets nothing through for the socket from which its peer is first called.</summary>
[Trait("Spec", "PATH-82")]
public sealed class FreshSocketTests(ITestOutputHelper output) : IDisposable
{
    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "p2pmigrate");

    private readonly string _state = Directory.CreateTempSubdirectory("p2pmigrate-fresh-").FullName;
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_the_first_mapping_is_spoilt_another_socket_gets_through()
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { SourceNat = NatKind.PortRestricted, TargetNat = NatKind.PortRestricted }, _token);
        await using LabProcess server = await lab.Rendezvous.StartAsync(
            s_program, ["rendezvous", "--json", "--alternate", $"{LabAddresses.RendezvousAlternate}", "--state-dir", StateOf("server")], _token);
        await server.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        string ticketFile = Path.Combine(_state, "ticket");
        await using LabProcess receive = await lab.Target.StartAsync(
            s_program, ["receive", "--rendezvous", $"{LabAddresses.Rendezvous}:3478", "--ticket-file", ticketFile, "--json", "--state-dir", StateOf("target")], _token);
        await receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        string ticket = (await File.ReadAllTextAsync(ticketFile, _token)).Trim();

        await SpoilAsync(lab.SourceNat);
        Assert.Equal("relay", (await LastAsync(lab, "ping", ticket, "--no-punching")).GetProperty("path").GetString());

        await SpoilAsync(lab.SourceNat);
        Assert.Equal("direct", (await LastAsync(lab, "speedtest", ticket, "--seconds", "12", "--rate", "5")).GetProperty("path").GetString());
        string rules = (await lab.SourceNat.RunAsync("nft", ["list", "table", "ip", "spoilt"], _token)).Output;
        output.WriteLine(rules);
        Assert.Contains("elements = {", rules, StringComparison.Ordinal);
        Assert.DoesNotContain("packets 0 bytes 0 drop", rules, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_state, recursive: true);

    // The set takes one port only: that from which something is first sent to the peer's router. It never speaks with it again.
    private static async Task SpoilAsync(LabNode router) => await router.ShellAsync(
        $$"""
        nft -f - <<'END'
        table ip spoilt
        delete table ip spoilt
        table ip spoilt {
          set first {
            type inet_service; size 1; flags dynamic;
          }
          chain pass {
            type filter hook forward priority filter - 10;
            ip saddr {{LabAddresses.Source}} ip daddr {{LabAddresses.TargetNat}} add @first { udp sport }
            ip saddr {{LabAddresses.Source}} ip daddr {{LabAddresses.TargetNat}} udp sport @first counter drop
            ip saddr {{LabAddresses.TargetNat}} ip daddr {{LabAddresses.Source}} udp dport @first drop
          }
        }
        END
        """);

    private async Task<JsonElement> LastAsync(PeerLab lab, string command, params string[] rest)
    {
        CommandResult result = await lab.Source.RunAsync(s_program, [command, .. rest, "--json", "--state-dir", StateOf("source")], _token);
        output.WriteLine(result.Output);
        Assert.True(result.ExitCode == 0, result.ToString() + result.Output);
        return JsonDocument.Parse(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
    }

    private string StateOf(string name) => Path.Combine(_state, name);
}
