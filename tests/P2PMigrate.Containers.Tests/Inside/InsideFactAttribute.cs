using System.Runtime.CompilerServices;
using Xunit.Sdk;
using Xunit.v3;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// A test that needs real CRIU and runc around it. It exists only within the virtual host, where <see cref="HostedTests"/> runs it by name;
/// elsewhere nobody sees it.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer(typeof(InsideFactDiscoverer))]
public sealed class InsideFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1) : FactAttribute(file, line)
{
    /// <summary>Set in the environment of test programs that run inside the host.</summary>
    public const string Variable = "P2PMIGRATE_TESTS_INSIDE";
}

/// <summary>Finds <see cref="InsideFactAttribute"/> tests within the host and none elsewhere.</summary>
public sealed class InsideFactDiscoverer : IXunitTestCaseDiscoverer
{
    public ValueTask<IReadOnlyCollection<IXunitTestCase>> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, IXunitTestMethod testMethod, IFactAttribute factAttribute) =>
        Environment.GetEnvironmentVariable(InsideFactAttribute.Variable) is null
            ? ValueTask.FromResult<IReadOnlyCollection<IXunitTestCase>>([])
            : new FactDiscoverer().Discover(discoveryOptions, testMethod, factAttribute);
}
