using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel;

namespace P2PMigrate.RendezvousBench;

/// <summary>
/// One peer of a crowd: the product's client core behind a socket with an address of its own. What comes is handed to the crowd, on
/// any thread; everything else is the crowd's thread's.
/// </summary>
internal sealed class CrowdPeer : IDisposable
{
    private const int LongestDatagram = 2048;

    private readonly Socket _socket;
    private readonly PrivateIdentity _identity;
    private readonly SocketAsyncEventArgs _receiving = new();
    private readonly Action<CrowdPeer, byte[]> _received;

    /// <summary>Opens its socket at <paramref name="address"/> towards <paramref name="server"/>.</summary>
    public CrowdPeer(IPAddress address, IPEndPoint server, bool isRegistering, TimeSpan refreshInterval, Action<CrowdPeer, byte[]> received)
    {
        _received = received;
        _identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        Core = new RendezvousClientCore(
            new RendezvousClientOptions { Identity = _identity, IsRegistering = isRegistering, RefreshInterval = refreshInterval }, CryptographicEntropy.Instance);
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(new IPEndPoint(address, 0));
        _socket.Connect(server);
        _receiving.SetBuffer(new byte[LongestDatagram]);
        _receiving.Completed += (_, _) => ReceiveAll(isFirst: false);
        ReceiveAll(isFirst: true);
    }

    /// <summary>Its talk with the server.</summary>
    public RendezvousClientCore Core { get; }

    /// <summary>Its name.</summary>
    public PeerId Id => _identity.PeerId;

    /// <summary>Sends what the core has to say, and counts it.</summary>
    public int SendAll(byte[] buffer)
    {
        int count = 0;
        for (; Core.TryPollTransmit(buffer, out int length); count++)
            _socket.Send(buffer.AsSpan(0, length), SocketFlags.None, out _);
        return count;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _receiving.Dispose();
        _identity.Dispose();
    }

    private void ReceiveAll(bool isFirst)
    {
        try
        {
            bool isThere = !isFirst;
            do
            {
                if (isThere && _receiving is { SocketError: SocketError.Success, BytesTransferred: > 0 })
                    _received(this, _receiving.MemoryBuffer[.._receiving.BytesTransferred].ToArray());
                isThere = true;
            }
            while (_receiving.SocketError != SocketError.OperationAborted && !_socket.ReceiveAsync(_receiving));
        }
        catch (ObjectDisposedException)
        {
            // The run is over.
        }
    }
}
