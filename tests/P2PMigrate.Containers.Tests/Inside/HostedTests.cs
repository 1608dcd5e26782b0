using P2PMigrate.Lab;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Runs every test of this folder that needs real CRIU and runc, one at a time, inside a virtual host.</summary>
public sealed class HostedTests(TestHost host) : IClassFixture<TestHost>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    /// <summary>The tests of the classes beside this one, but for drivers, which are no tests by themselves.</summary>
    public static TheoryData<string> Names =>
    [
        .. from type in typeof(HostedTests).Assembly.GetTypes()
           where type.Namespace == typeof(HostedTests).Namespace && type != typeof(Drivers)
           from method in type.GetMethods()
           where method.IsDefined(typeof(InsideFactAttribute), inherit: false)
           orderby method.Name
           select $"{type.FullName}.{method.Name}",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task With_real_criu(string test)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        CommandResult result = await host.RunAsync(test, limit.Token);
        TestContext.Current.TestOutputHelper?.WriteLine(result.Output);
        Assert.True(result.Succeeded, result.Output + result.Error);
    }
}
