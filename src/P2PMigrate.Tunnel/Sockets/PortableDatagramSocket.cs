using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>The same promises with nothing but the framework: a call per datagram, and a loopback socket to be woken by.</summary>
internal sealed class PortableDatagramSocket : IDatagramSocket
{
    private readonly Socket _socket;
    private readonly Socket _wakeReceiver;
    private readonly Socket _wakeSender;
    private readonly List<Socket> _readable = new(2);
    private readonly byte[] _wakeByte = new byte[1];

    /// <summary>Takes over <paramref name="socket"/>, which is bound.</summary>
    public PortableDatagramSocket(Socket socket)
    {
        _socket = socket;
        _socket.Blocking = false;
        Local = DatagramSocket.LocalAddress(socket);
        (_wakeReceiver, _wakeSender) = (Loopback(), Loopback());
        _wakeReceiver.Connect(_wakeSender.LocalEndPoint!);
        _wakeSender.Connect(_wakeReceiver.LocalEndPoint!);
    }

    /// <inheritdoc/>
    public NetworkAddress Local { get; }

    /// <inheritdoc/>
    public SiblingSockets? Siblings => null;

    /// <inheritdoc/>
    public bool Reaches(NetworkAddress remote) => DatagramSocket.Reaches(_socket, remote);

    /// <inheritdoc/>
    public bool Receive(ReceiveBatch batch)
    {
        batch.Clear();
        for (int slot = 0; slot < ReceiveBatch.Capacity; slot++)
        {
            if (!_socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
                return false;
            EndPoint from = _socket.LocalEndPoint!;
            try
            {
                int length = _socket.ReceiveFrom(batch.Slot(slot), ref from);
                batch.Add(slot, length, length, NetworkAddress.From((IPEndPoint)from));
            }
            catch (SocketException)
            {
                // An ICMP complaint about an earlier datagram, or gone meanwhile: the next wait tells whether there is more.
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public int Send(TransmitBatch batch)
    {
        int taken = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            DatagramTrain train = batch[i];
            IPEndPoint target = Target(train.Remote);
            foreach (ReadOnlySpan<byte> datagram in train)
                taken += TrySend(batch, datagram, train.Remote, target) ? 1 : 0;
        }

        return taken;
    }

    /// <inheritdoc/>
    public void Wait(TimeSpan timeout)
    {
        _readable.Clear();
        _readable.Add(_socket);
        _readable.Add(_wakeReceiver);
        Socket.Select(_readable, null, null, timeout < TimeSpan.Zero ? TimeSpan.Zero : timeout);
        Span<byte> wake = stackalloc byte[1];
        while (_wakeReceiver.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            _wakeReceiver.Receive(wake);
    }

    /// <inheritdoc/>
    public void Wake()
    {
        try
        {
            _wakeSender.Send(_wakeByte);
        }
        catch (Exception error) when (error is ObjectDisposedException or SocketException)
        {
            // Gone, or so many wakes wait already that one more cannot: either way there is nothing to add.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _wakeSender.Dispose();
        _wakeReceiver.Dispose();
    }

    private static Socket Loopback()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Blocking = false;
        return socket;
    }

    private IPEndPoint Target(NetworkAddress remote)
    {
        IPEndPoint target = remote.ToEndPoint();
        return target.AddressFamily == _socket.AddressFamily ? target : new IPEndPoint(target.Address.MapToIPv6(), target.Port);
    }

    private bool TrySend(TransmitBatch batch, ReadOnlySpan<byte> datagram, NetworkAddress remote, IPEndPoint target)
    {
        for (int attempt = 0; attempt < 2; attempt++)
        {
            try
            {
                return _socket.SendTo(datagram, SocketFlags.None, target) == datagram.Length;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock && attempt == 0)
            {
                _socket.Poll(DatagramSocket.SendPatience, SelectMode.SelectWrite);
            }
            catch (SocketException error)
            {
                if (error.SocketErrorCode == SocketError.MessageSize)
                    batch.NoteTooLong(remote, datagram.Length);
                return false;
            }
        }

        return false;
    }
}
