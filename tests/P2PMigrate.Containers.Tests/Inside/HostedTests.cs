using System.Reflection;
using P2PMigrate.Lab;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// Runs every test of this folder that needs real CRIU and a runtime, one at a time, inside a virtual host. Each runtime has a class below, and so a host, of its own: as many of them run beside each other as there are processors.
/// </summary>
public abstract class HostedTests(TestHost host) : IClassFixture<TestHost>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private static readonly string[] s_bundles = [RuncGround.RuntimeName, CrunGround.RuntimeName], s_every = [.. s_bundles, LxcGround.RuntimeName, PodmanGround.RuntimeName];
    private static readonly string[] s_runc = [RuncGround.RuntimeName], s_lxc = [LxcGround.RuntimeName], s_podman = [PodmanGround.RuntimeName], s_trees = [TreeGround.RuntimeName];
    private static readonly Lock s_rows = new();

    /// <summary>The tests of the classes beside this one, but for drivers, which are no tests by themselves, that are about this runtime: its own, and those of the contract with every runtime.</summary>
    protected static TheoryData<string, string> TestsOf(string runtime) =>
    [
        .. from type in typeof(HostedTests).Assembly.GetTypes()
           where type.Namespace == typeof(HostedTests).Namespace && type != typeof(Drivers)
           from method in type.GetMethods()
           where method.IsDefined(typeof(InsideFactAttribute), inherit: false) && RuntimesOf(method).Contains(runtime)
           orderby method.Name
           select ($"{type.FullName}.{method.Name}", runtime),
    ];

    /// <summary>Runs one test in the host.</summary>
    protected async Task RunAsync(string test, string runtime)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        CommandResult result = await host.RunAsync(test, runtime, limit.Token);
        TestContext.Current.TestOutputHelper?.WriteLine(result.Output);
        AddRows(result.Output);
        Assert.True(result.Succeeded, result.Output + result.Error);
    }

    private static string[] RuntimesOf(MethodInfo method) => method.GetCustomAttribute<EveryRuntimeAttribute>() switch
    {
        null => method.IsDefined(typeof(OfLxcAttribute), inherit: false) ? s_lxc : method.IsDefined(typeof(OfPodmanAttribute), inherit: false) ? s_podman
            : method.IsDefined(typeof(OfTreesAttribute), inherit: false) ? s_trees : s_runc,
        { WithBundles: true } => s_bundles,
        { AndTrees: true } => [.. s_every, .. s_trees],
        _ => s_every,
    };

    /// <summary>What tests say of a table's rows goes to the file that <c>P2PMIGRATE_CONFORMANCE_TABLE</c> names, if it names one.</summary>
    private static void AddRows(string output)
    {
        if (Environment.GetEnvironmentVariable("P2PMIGRATE_CONFORMANCE_TABLE") is not { Length: > 0 } file) return;
        const string begin = "] | "; // after what the test program puts before a line
        lock (s_rows) File.AppendAllLines(file, from line in output.Split('\n') let at = line.IndexOf(begin, StringComparison.Ordinal) where at >= 0 select line[(at + 2)..].Trim());
    }
}

/// <summary>With runc.</summary>
public sealed class RuncHostedTests(TestHost host) : HostedTests(host)
{
    /// <summary>Tests and the runtime.</summary>
    public static TheoryData<string, string> Tests => TestsOf(RuncGround.RuntimeName);

    [Theory]
    [MemberData(nameof(Tests))]
    public Task With_real_criu(string test, string runtime) => RunAsync(test, runtime);
}

/// <summary>With crun.</summary>
public sealed class CrunHostedTests(TestHost host) : HostedTests(host)
{
    /// <summary>Tests and the runtime.</summary>
    public static TheoryData<string, string> Tests => TestsOf(CrunGround.RuntimeName);

    [Theory]
    [MemberData(nameof(Tests))]
    public Task With_real_criu(string test, string runtime) => RunAsync(test, runtime);
}

/// <summary>With LXC.</summary>
public sealed class LxcHostedTests(TestHost host) : HostedTests(host)
{
    /// <summary>Tests and the runtime.</summary>
    public static TheoryData<string, string> Tests => TestsOf(LxcGround.RuntimeName);

    [Theory]
    [MemberData(nameof(Tests))]
    public Task With_real_criu(string test, string runtime) => RunAsync(test, runtime);
}

/// <summary>With Podman.</summary>
public sealed class PodmanHostedTests(TestHost host) : HostedTests(host)
{
    /// <summary>Tests and the runtime.</summary>
    public static TheoryData<string, string> Tests => TestsOf(PodmanGround.RuntimeName);

    [Theory]
    [MemberData(nameof(Tests))]
    public Task With_real_criu(string test, string runtime) => RunAsync(test, runtime);
}

/// <summary>With process trees without a container.</summary>
public sealed class TreeHostedTests(TestHost host) : HostedTests(host)
{
    /// <summary>Tests and the runtime.</summary>
    public static TheoryData<string, string> Tests => TestsOf(TreeGround.RuntimeName);

    [Theory]
    [MemberData(nameof(Tests))]
    public Task With_real_criu(string test, string runtime) => RunAsync(test, runtime);
}
