using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Tests.Sockets;
using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>Connections that end in ways that nobody thought of, or do not end at all.</summary>
public sealed class DatagramStreamTests
{
    private static readonly NetworkAddress s_name = NetworkAddress.ForStream(NetworkAddress.FromBytes([192, 0, 2, 1], 1), 1);

    [Fact]
    public async Task A_stream_that_fails_in_an_unknown_way_ends()
    {
        var broken = new BrokenStream();
        var stream = new DatagramStream(broken, socket: null, s_name);
        stream.Start(static _ => { });
        await stream.Ended.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(broken.IsDisposed);
    }

    [Fact]
    [Trait("Spec", "RLY-17")]
    public void A_connection_is_stranded_when_its_address_is_gone_from_the_machine() => OwnNetwork.Run(mtu: 1500, static () =>
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Interfaces are changed by Linux's tool.");
        ChangeAddress("add");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse("192.0.2.9"), 0));
        socket.Connect(listener.LocalEndPoint!);
        using var stream = new DatagramStream(Stream.Null, socket, s_name);
        Assert.Equal(NetworkAddress.From((IPEndPoint)listener.LocalEndPoint!), stream.Remote);

        Assert.False(stream.IsStranded);
        ChangeAddress("del");
        Assert.True(stream.IsStranded);
    });

    private static void ChangeAddress(string how)
    {
        using Process ip = Process.Start("ip", ["address", how, "192.0.2.9/32", "dev", "lo"]);
        ip.WaitForExit();
        Assert.Equal(0, ip.ExitCode);
    }

    private sealed class BrokenStream : MemoryStream
    {
        public bool IsDisposed { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException("Nobody expects this.");

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            IsDisposed = true;
            throw new NotSupportedException("Nor this.");
        }
    }
}
