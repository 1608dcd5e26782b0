using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Sockets;

/// <summary>Further sockets beside an endpoint's own one, as the kernel serves them.</summary>
// spec: PATH-76
public sealed class SiblingSocketsTests : ISiblingOwner, IDisposable
{
    private static readonly IPEndPoint s_loopback = new(IPAddress.Loopback, 0);
    private readonly LinuxDatagramSocket _socket = new(DatagramSocket.Bind(s_loopback), openSibling: () => DatagramSocket.Bind(s_loopback));
    private readonly IDatagramSocket _other = DatagramSocket.Open(s_loopback);
    private readonly TransmitBatch _batch = new();
    private readonly ReceiveBatch _received = new();

    private SiblingSockets Siblings => _socket.Siblings!;

    void ISiblingOwner.HandleTrain(Instant now, LocalInterface socket, DatagramTrain train)
    {
    }

    [Fact]
    public void Each_has_a_port_of_its_own_and_sends_whole_trains_from_it()
    {
        SiblingSocket first = Siblings.TryOpen(this, LocalInterface.Socket(1))!;
        SiblingSocket second = Siblings.TryOpen(this, LocalInterface.Socket(2))!;
        _batch.Add(3000, 1000, _other.Local);
        first.SendLast(_batch);
        _batch.Add(100, _other.Local);
        _batch.LimitLast(2);
        second.SendLast(_batch);

        List<(NetworkAddress From, int Length)> arrived = [];
        while (arrived.Sum(datagram => datagram.Length) < 3100)
        {
            _other.Wait(TimeSpan.FromSeconds(10));
            _other.Receive(_received);
            for (int i = 0; i < _received.Count; i++)
                arrived.Add((_received[i].Remote, _received[i].Bytes.Length));
        }

        Assert.Equal(0, _batch.Count);
        Assert.Equal(2, arrived.Select(datagram => datagram.From).Distinct().Count());
        Assert.DoesNotContain(_socket.Local, arrived.Select(datagram => datagram.From));
    }

    [Fact]
    public void What_comes_to_one_of_them_ends_the_wait_and_is_found_there()
    {
        SiblingSocket first = Siblings.TryOpen(this, LocalInterface.Socket(1))!;
        SiblingSocket second = Siblings.TryOpen(this, LocalInterface.Socket(2))!;
        _batch.Add(100, _other.Local);
        second.SendLast(_batch);
        _other.Wait(TimeSpan.FromSeconds(10));
        _other.Receive(_received);
        _batch.Add(64, _received[0].Remote);
        Assert.Equal(1, _other.Send(_batch));

        _socket.Wait(TimeSpan.FromSeconds(10));
        Assert.Equal([second], Siblings.FindReady());
        second.Receive(_received);
        Assert.Equal(64, _received[0].Bytes.Length);
        Assert.Empty(Siblings.FindReady());
        Siblings.Close(first);
        Siblings.Close(second);
        Assert.Equal(0, Siblings.Count);
    }

    [Fact]
    public void There_is_a_limit_to_them()
    {
        for (int i = 0; i < SiblingSockets.MaxCount; i++)
            Assert.NotNull(Siblings.TryOpen(this, LocalInterface.Socket(1)));
        Assert.Null(Siblings.TryOpen(this, LocalInterface.Socket(1)));
    }

    public void Dispose()
    {
        _socket.Dispose();
        _other.Dispose();
    }
}
