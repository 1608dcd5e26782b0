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
    private readonly TransmitBatch _batch = new();
    private readonly ReceiveBatch _received = new();

    protected DatagramSocketTests()
    {
        _near = Open(new IPEndPoint(IPAddress.Loopback, 0));
        _far = Open(new IPEndPoint(IPAddress.Loopback, 0));
    }

    private protected abstract IDatagramSocket Wrap(Socket socket);

    [Fact]
    public void A_batch_arrives_whole_with_its_source()
    {
        for (int i = 0; i < TransmitBatch.MaxTrains; i++)
            Put(length: i + 1, fill: (byte)i, _far.Local);

        Assert.Equal(TransmitBatch.MaxTrains, _near.Send(_batch));

        byte[][] datagrams = ReceiveAll(TransmitBatch.MaxTrains, _near.Local);
        for (int i = 0; i < TransmitBatch.MaxTrains; i++)
            Assert.Equal(Enumerable.Repeat((byte)i, i + 1), datagrams[i]);
    }

    [Theory]
    [InlineData(2, 1200, 1200)]
    [InlineData(TransmitBatch.MaxTrainDatagrams, 1000, 1)]
    [InlineData(45, 1452, 1451)]
    public void A_train_arrives_as_the_datagrams_it_was_made_of(int count, int size, int last)
    {
        int length = (count - 1) * size + last;
        for (int start = 0; start < length; start += size)
            _batch.Free[start..Math.Min(start + size, length)].Fill((byte)(start / size));
        _batch.Add(length, size, _far.Local);
        Put(length: 7, fill: 99, _far.Local);

        Assert.Equal(count + 1, _near.Send(_batch));

        byte[][] datagrams = ReceiveAll(count + 1, _near.Local);
        for (int i = 0; i < count; i++)
            Assert.Equal(Enumerable.Repeat((byte)i, i < count - 1 ? size : last), datagrams[i]);
        Assert.Equal(7, datagrams[count].Length);
    }

    [Fact]
    public void Datagrams_join_a_train_only_where_one_can_have_them()
    {
        PutJoining(100, _far.Local);
        PutJoining(100, _far.Local);
        PutJoining(99, _far.Local); // The short one ends the train.
        PutJoining(99, _far.Local);
        PutJoining(99, _near.Local); // To somebody else.
        PutJoining(100, _near.Local); // Longer than those before it.

        Assert.Equal([3, 1, 1, 1], Enumerable.Range(0, _batch.Count).Select(i => _batch[i].Count));
        Assert.Equal(6, _near.Send(_batch));
        Assert.Equal([100, 100, 99, 99], ReceiveAll(4).Select(datagram => datagram.Length));
    }

    [Fact]
    public void Nothing_is_received_when_nothing_was_sent()
    {
        long before = Stopwatch.GetTimestamp();
        _near.Wait(TimeSpan.FromMilliseconds(30));
        Assert.True(Stopwatch.GetElapsedTime(before) >= TimeSpan.FromMilliseconds(25));
        Assert.False(_near.Receive(_received));
        Assert.Equal(0, _received.Count);
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

        Assert.Equal(2, Assert.Single(ReceiveAll(1))[0]);
    }

    [Fact]
    public void Datagrams_that_are_empty_or_very_long_do_not_hide_the_next_one()
    {
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.SendTo([], _far.Local.ToEndPoint());
        stranger.SendTo(new byte[ushort.MaxValue - 28], _far.Local.ToEndPoint());
        stranger.SendTo([7, 7], _far.Local.ToEndPoint());

        Assert.Equal([ushort.MaxValue - 28, 2], ReceiveAll(2).Select(datagram => datagram.Length));
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
    public void A_socket_that_is_bound_to_one_address_reaches_its_family_alone()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "IPv6 is not available on this machine");
        using IDatagramSocket six = Open(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        Assert.True(six.Reaches(six.Local) && _near.Reaches(_far.Local));
        Assert.False(six.Reaches(_near.Local) || _near.Reaches(six.Local));
    }

    // spec: PATH-45
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void A_datagram_that_is_too_long_for_the_interface_is_noted_and_the_others_are_sent(int trainLength)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root for a network of its own");
        const int TooLong = 1300;
        OwnNetwork.Run(mtu: 1280, () =>
        {
            using IDatagramSocket near = Open(new IPEndPoint(IPAddress.Loopback, 0)), far = Open(new IPEndPoint(IPAddress.Loopback, 0));
            _batch.Add(trainLength * TooLong, TooLong, far.Local);
            Put(100, 7, far.Local);
            Assert.Equal(1, near.Send(_batch));
            Assert.Equal([(far.Local, TooLong)], _batch.TooLong.ToArray());
            far.Wait(s_long);
            far.Receive(_received);
            Assert.Equal((1, 100), (_received.Count, _received[0].Bytes.Length));

            // What fits is sent as before: only the size was refused.
            _batch.Clear();
            _batch.Add(trainLength * 1200, 1200, far.Local);
            Assert.Equal(trainLength, near.Send(_batch));
            Assert.Empty(_batch.TooLong.ToArray());
        });
    }

    [Fact]
    public void Disposing_twice_does_nothing_more()
    {
        Put(length: 1, fill: 1, _far.Local);
        Assert.Equal(1, _near.Send(_batch));
        _near.Dispose();
        _near.Dispose(); // And once more by the test's own end.
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
        Assert.False(socket.Receive(_received));
        Assert.Equal(1, _received.Count);
        return _received[0].Remote;
    }

    /// <summary>What arrives at the far socket, all of it from <paramref name="source"/> if that is given.</summary>
    private byte[][] ReceiveAll(int count, NetworkAddress source = default)
    {
        List<byte[]> datagrams = [];
        while (datagrams.Count < count)
        {
            _far.Wait(s_long);
            _far.Receive(_received);
            for (int i = 0; i < _received.Count; i++)
            {
                Assert.True(_received[i].Remote == source || source.IsNone);
                foreach (ReadOnlySpan<byte> datagram in _received[i])
                    datagrams.Add(datagram.ToArray());
            }
        }

        Assert.Equal(count, datagrams.Count);
        return [.. datagrams];
    }

    private void Put(int length, byte fill, NetworkAddress remote)
    {
        _batch.Free[..length].Fill(fill);
        _batch.Add(length, remote);
    }

    private void PutJoining(int length, NetworkAddress remote)
    {
        _batch.Free[..length].Fill(1);
        _batch.Join(length, remote);
    }
}

public sealed class LinuxDatagramSocketTests : DatagramSocketTests
{
    private protected override IDatagramSocket Wrap(Socket socket) => new LinuxDatagramSocket(socket);
}

/// <summary>The same on a socket whose trains the kernel refuses, because it may not make their checksums.</summary>
public sealed class RefusedTrainsTests : DatagramSocketTests
{
    private const int SolSocket = 1;
    private const int NoCheck = 11;

    [Fact]
    public void A_refused_train_is_sent_apart_and_none_is_tried_again()
    {
        using var socket = (LinuxDatagramSocket)Wrap(DatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0)));
        Assert.True(socket.SendsTrains);
        var batch = new TransmitBatch();
        batch.Add(length: 3000, datagramSize: 1000, socket.Local);
        Assert.Equal(3, socket.Send(batch));
        Assert.False(socket.SendsTrains);
        Assert.Equal(3, socket.Send(batch));
    }

    private protected override IDatagramSocket Wrap(Socket socket)
    {
        socket.SetRawSocketOption(SolSocket, NoCheck, BitConverter.GetBytes(1));
        return new LinuxDatagramSocket(socket);
    }
}

/// <summary>The same on a kernel that has batches of datagrams but no trains.</summary>
public sealed class LinuxDatagramSocketWithoutTrainsTests : DatagramSocketTests
{
    private protected override IDatagramSocket Wrap(Socket socket) => new LinuxDatagramSocket(socket, useTrains: false);
}

public sealed class PortableDatagramSocketTests : DatagramSocketTests
{
    private protected override IDatagramSocket Wrap(Socket socket) => new PortableDatagramSocket(socket);
}
