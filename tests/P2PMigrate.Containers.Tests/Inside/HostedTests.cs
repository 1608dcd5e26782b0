using System.Reflection;
using P2PMigrate.Lab;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Runs every test of this folder that needs real CRIU and runc, one at a time, inside a virtual host.</summary>
public sealed class HostedTests(TestHost host) : IClassFixture<TestHost>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private static readonly string[] s_every = ["runc", CrunGround.RuntimeName, LxcGround.RuntimeName, PodmanGround.RuntimeName], s_bundles = ["runc", CrunGround.RuntimeName];
    private static readonly string[] s_runc = ["runc"], s_lxc = [LxcGround.RuntimeName], s_podman = [PodmanGround.RuntimeName];

    /// <summary>The tests of the classes beside this one, but for drivers, which are no tests by themselves; those of the contract with every runtime.</summary>
    public static TheoryData<string, string> Names =>
    [
        .. from type in typeof(HostedTests).Assembly.GetTypes()
           where type.Namespace == typeof(HostedTests).Namespace && type != typeof(Drivers)
           from method in type.GetMethods()
           where method.IsDefined(typeof(InsideFactAttribute), inherit: false)
           orderby method.Name
           from runtime in RuntimesOf(method)
           select ($"{type.FullName}.{method.Name}", runtime),
    ];

    private static string[] RuntimesOf(MethodInfo method) => method.GetCustomAttribute<EveryRuntimeAttribute>() switch
    {
        null => method.IsDefined(typeof(OfLxcAttribute), inherit: false) ? s_lxc : method.IsDefined(typeof(OfPodmanAttribute), inherit: false) ? s_podman : s_runc,
        { WithBundles: true } => s_bundles,
        _ => s_every,
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task With_real_criu(string test, string runtime)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        CommandResult result = await host.RunAsync(test, runtime, limit.Token);
        TestContext.Current.TestOutputHelper?.WriteLine(result.Output);
        AddRows(result.Output);
        Assert.True(result.Succeeded, result.Output + result.Error);
    }

    /// <summary>What tests say of a table's rows goes to the file that <c>P2PMIGRATE_CONFORMANCE_TABLE</c> names, if it names one.</summary>
    private static void AddRows(string output)
    {
        if (Environment.GetEnvironmentVariable("P2PMIGRATE_CONFORMANCE_TABLE") is not { Length: > 0 } file) return;
        const string begin = "] | "; // after what the test program puts before a line
        File.AppendAllLines(file, from line in output.Split('\n') let at = line.IndexOf(begin, StringComparison.Ordinal) where at >= 0 select line[(at + 2)..].Trim());
    }
}
