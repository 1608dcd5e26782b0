using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>
/// Learns how the server of a session's relay sees a further socket of the session, by a question from that very socket. Loop only.
/// </summary>
// spec: PATH-82
internal sealed class FreshSocket
{
    private AddressQuestion? _question;
    private LocalInterface _socket;

    /// <summary>When <see cref="TrySend"/> has something to send.</summary>
    public Instant NextTimeout => _question?.NextAt ?? Instant.Never;

    /// <summary>The connection wants a socket; without a <paramref name="server"/> that is reached by UDP there is nobody to ask.</summary>
    public void Open(LocalInterface socket, NetworkAddress server)
    {
        _socket = socket;
        _question = server.IsUsable && !server.IsStream ? new AddressQuestion(server, CryptographicEntropy.Instance) : null;
    }

    /// <summary>The connection does not use it any more, unless it is among <paramref name="kept"/>.</summary>
    public void HandleReleased(IReadOnlyList<LocalInterface> kept)
    {
        if (!kept.Contains(_socket))
            _question = null;
    }

    /// <summary>Sends the question, if it is due.</summary>
    public bool TrySend(Instant now, TransmitBatch batch, SessionSockets sockets)
    {
        if (_question is not { } question || now < question.NextAt)
            return false;
        batch.Add(question.Write(now, batch.Free), question.Server);
        sockets.SendLast(_socket, batch);
        return true;
    }

    /// <summary>Is this a server's word, and none of the peer's packets? Then <paramref name="observed"/> is what it says, once, or none.</summary>
    public bool TryTake(LocalInterface socket, DatagramTrain train, out NetworkAddress observed)
    {
        observed = default;
        if (FirstByte.Classify(train.Bytes) != DatagramType.Rendezvous)
            return false;
        if (socket != _socket || _question?.TryTakeAnswer(train.Remote, train.Bytes[..Math.Min(train.DatagramSize, train.Bytes.Length)], out observed) != true)
            observed = default;
        else
            _question = null;
        return true;
    }
}
