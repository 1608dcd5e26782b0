using P2PMigrate.Lab;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// The virtual host in which the tests of this folder run: raised once for those of a runtime, with this test program and the .NET runtime
/// mounted into it. <see cref="HostedTests"/> runs each by name in here.
/// </summary>
public sealed class TestHost : IAsyncLifetime
{
    private const string Program = "/opt/tests";
    private const string Runtime = "/opt/dotnet";

    private LoneHost? _host;

    public async ValueTask InitializeAsync()
    {
        if (!LabGround.IsFit) return;
        string runtime = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        _host = await LoneHost.RaiseAsync(binds: [new BindMount(AppContext.BaseDirectory, Program, ReadOnly: true), new BindMount(runtime, Runtime, ReadOnly: true)]);
    }

    /// <summary>Runs one test in the host, about one runtime, and returns how it went; what it printed is in there.</summary>
    public async Task<CommandResult> RunAsync(string method, string runtime, CancellationToken cancellationToken)
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        string assembly = Path.Combine(Program, Path.GetFileName(typeof(TestHost).Assembly.Location));
        return await _host!.Host.RunAsync(
            new NodeCommand(Path.Combine(Runtime, "dotnet"), [assembly, "--filter-method", method, "--ansi", "off", "--progress", "off", "--show-live-output", "on", "--results-directory", "/tmp/results"])
            {
                Environment = new Dictionary<string, string> { [InsideFactAttribute.Variable] = "1", [IGround.Variable] = runtime, ["TMPDIR"] = "/data", ["TESTINGPLATFORM_TELEMETRY_OPTOUT"] = "1" },
            },
            cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
    }
}
