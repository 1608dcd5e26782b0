using System.Net.Sockets;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;
using P2PMigrate.MatrixBench;

namespace P2PMigrate.Agent.Tests;

/// <summary>A few cells of <c>bench/matrix</c>, twice each: the shipped program through real kernels' NATs of all sorts.</summary>
public sealed class MatrixTests
{
    [Theory]
    [InlineData("open:symmetric")]
    [InlineData("symmetric:open")]
    [InlineData("full-cone:symmetric")]
    [InlineData("address-restricted:symmetric")]
    [InlineData("port-restricted:port-restricted")]
    [InlineData("double:port-restricted")]
    [InlineData("gateway:symmetric")]
    [InlineData("symmetric:gateway")]
    [InlineData("ipv6:ipv6")]
    [InlineData("symmetric:symmetric")]
    [InlineData("port-restricted@one-lan")]
    [InlineData("port-restricted@apart")]
    [InlineData("full-cone@apart")]
    public Task Peers_connect_and_do_so_directly_where_plain_probes_can(string name) => ConnectAsync(name, AddressFamily.InterNetwork);

    [Fact]
    public Task Peers_that_meet_over_IPv6_punch_through_their_firewalls() => ConnectAsync("ipv6:ipv6", AddressFamily.InterNetworkV6);

    private static async Task ConnectAsync(string name, AddressFamily family)
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        var run = new MatrixRun(new MatrixBench.Contenders.Agent(MigrationPeers.Agents, family), runs: 2, leg: null, TextWriter.Null);

        CellResult cell = Assert.Single(await run.RunAsync([Cell.Parse(name)], atATime: 1, TestContext.Current.CancellationToken));

        Assert.True(cell.IsAsExpected, cell.ToString());
    }
}
