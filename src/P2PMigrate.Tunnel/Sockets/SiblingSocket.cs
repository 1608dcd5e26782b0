using System.Net.Sockets;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>Who opened a <see cref="SiblingSocket"/>, and gets what comes to it. Loop only.</summary>
internal interface ISiblingOwner
{
    /// <summary>Datagrams came together to the socket that the owner calls <paramref name="socket"/>. Their bytes are the loop's again when this returns.</summary>
    void HandleTrain(Instant now, LocalInterface socket, DatagramTrain train);
}

/// <summary>
/// A further socket of an endpoint, for one session: whole trains both ways like the endpoint's own, but each train leaves with
/// a call of its own. Owned by <see cref="SiblingSockets"/>. Loop only.
/// </summary>
internal sealed class SiblingSocket : IDisposable
{
    private readonly Socket _socket;
    private readonly LinuxReceiver _receiver;
    private readonly LinuxSender _sender;

    /// <summary>Takes over <paramref name="socket"/>, which is bound.</summary>
    public SiblingSocket(Socket socket, bool useTrains, ISiblingOwner owner, LocalInterface number)
    {
        _socket = socket;
        File = (int)socket.Handle;
        _receiver = new LinuxReceiver(File);
        _sender = new LinuxSender(File, isIPv6: socket.AddressFamily == AddressFamily.InterNetworkV6, useTrains);
        (Owner, Number) = (owner, number);
        LinuxDatagramSocket.Prepare(File, useTrains);
    }

    /// <summary>The descriptor.</summary>
    public int File { get; }

    /// <summary>Who gets what comes.</summary>
    public ISiblingOwner Owner { get; }

    /// <summary>What the owner calls it.</summary>
    public LocalInterface Number { get; }

    /// <summary>See <see cref="IDatagramSocket.Receive"/>.</summary>
    public bool Receive(ReceiveBatch batch) => _receiver.Receive(batch);

    /// <summary>Sends the last train of <paramref name="batch"/> and takes it out.</summary>
    public void SendLast(TransmitBatch batch)
    {
        _sender.Send(batch, first: batch.Count - 1);
        batch.RemoveLast();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _receiver.Dispose();
        _sender.Dispose();
    }
}
