using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Sockets;

/// <summary>What every <see cref="IDatagramSocket"/> does; run for each implementation.</summary>
public abstract class DatagramSocketTests : IDisposable
{
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(20);
    private readonly IDatagramSocket _near;
    private readonly IDatagramSocket _far;
    private readonly DatagramBatch _batch = new();

    protected DatagramSocketTests()
    {
        _near = Open(new IPEndPoint(IPAddress.Loopback, 0));
        _far = Open(new IPEndPoint(IPAddress.Loopback, 0));
    }

    private protected abstract IDatagramSocket Wrap(Socket socket);

    [Fact]
    public void A_batch_arrives_whole_with_its_source()
    {
        for (int i = 0; i < DatagramBatch.Capacity; i++)
            Put(length: i + 1, fill: (byte)i, _far.Local);

        Assert.Equal(DatagramBatch.Capacity, _near.Send(_batch));

        for (int received = 0; received < DatagramBatch.Capacity;)
        {
            _far.Wait(s_long);
            int count = _far.Receive(_batch);
            for (int i = 0; i < count; i++, received++)
            {
                Assert.Equal(Enumerable.Repeat((byte)received, received + 1), _batch[i].ToArray());
                Assert.Equal(_near.Local, _batch.Remote(i));
            }
        }
    }

    [Fact]
    public void Nothing_is_received_when_nothing_was_sent()
    {
        long before = Stopwatch.GetTimestamp();
        _near.Wait(TimeSpan.FromMilliseconds(30));
        Assert.True(Stopwatch.GetElapsedTime(before) >= TimeSpan.FromMilliseconds(25));
        Assert.Equal(0, _near.Receive(_batch));
    }

    [Fact]
    public async Task Another_thread_wakes_the_one_that_waits()
    {
        Task waiting = Task.Run(() => _near.Wait(s_long), TestContext.Current.CancellationToken);
        _near.Wake();
        await waiting.WaitAsync(s_long / 2, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_wake_before_the_wait_is_not_lost_and_is_used_up()
    {
        _near.Wake();
        _near.Wake();
        long before = Stopwatch.GetTimestamp();
        _near.Wait(s_long);
        Assert.True(Stopwatch.GetElapsedTime(before) < s_long / 2);
        _near.Wait(TimeSpan.FromMilliseconds(30));
        Assert.True(Stopwatch.GetElapsedTime(before) >= TimeSpan.FromMilliseconds(25));
    }

    [Fact]
    public void A_datagram_that_cannot_be_sent_does_not_stop_the_others()
    {
        Put(10, 1, _far.Local.WithPort(0));
        Put(10, 2, _far.Local);

        Assert.Equal(1, _near.Send(_batch));

        _far.Wait(s_long);
        Assert.Equal(1, _far.Receive(_batch));
        Assert.Equal(2, _batch[0][0]);
    }

    [Fact]
    public void Datagrams_that_are_empty_or_too_long_do_not_hide_the_next_one()
    {
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.SendTo([], _near.Local.ToEndPoint());
        stranger.SendTo(new byte[DatagramBatch.SlotSize + 1], _near.Local.ToEndPoint());
        stranger.SendTo([7, 7], _near.Local.ToEndPoint());

        while (true)
        {
            _near.Wait(s_long);
            int count = _near.Receive(_batch);
            for (int i = 0; i < count; i++)
            {
                Assert.True(_batch[i].Length is 0 or 2);
                if (_batch[i].Length == 2)
                    return;
            }
        }
    }

    [Fact]
    public void A_dual_mode_socket_talks_to_both_families()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "IPv6 is not available on this machine");
        using IDatagramSocket dual = Open(new IPEndPoint(IPAddress.IPv6Any, 0));
        using IDatagramSocket six = Open(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        Assert.True(dual.Reaches(_far.Local) && dual.Reaches(six.Local));
        Assert.False(_near.Reaches(six.Local));

        Put(3, 4, _far.Local);
        Put(3, 6, six.Local);
        Assert.Equal(2, dual.Send(_batch));

        Assert.Equal(NetworkAddress.From(IPAddress.Loopback, dual.Local.Port), SourceOfNext(_far));
        Assert.Equal(NetworkAddress.From(IPAddress.IPv6Loopback, dual.Local.Port), SourceOfNext(six));
    }

    [Fact]
    public void Waking_after_disposal_does_nothing()
    {
        IDatagramSocket socket = Open(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Dispose();
        socket.Wake();
    }

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
        GC.SuppressFinalize(this);
    }

    private IDatagramSocket Open(IPEndPoint listen) => Wrap(DatagramSocket.Bind(listen));

    private NetworkAddress SourceOfNext(IDatagramSocket socket)
    {
        socket.Wait(s_long);
        Assert.Equal(1, socket.Receive(_batch));
        return _batch.Remote(0);
    }

    private void Put(int length, byte fill, NetworkAddress remote)
    {
        _batch.Free[..length].Fill(fill);
        _batch.Add(length, remote);
    }
}

public sealed class LinuxDatagramSocketTests : DatagramSocketTests
{
    private protected override IDatagramSocket Wrap(Socket socket) => new LinuxDatagramSocket(socket);
}

public sealed class PortableDatagramSocketTests : DatagramSocketTests
{
    private protected override IDatagramSocket Wrap(Socket socket) => new PortableDatagramSocket(socket);
}
