using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Turn;

namespace P2PMigrate.Tunnel.Sessions;

/// <content>What a third machine carries.</content>
internal sealed partial class SessionDriver
{
    /// <summary>The address that a TURN server lends the endpoint, if it was told of one.</summary>
    public TurnLink? Turn { get; init; }

    /// <summary>A TURN server lends another address, or none any more.</summary>
    // spec: TURN-01
    public void SetTurn(Instant now, IReadOnlyList<LocalSocket> sockets, Candidate? lent)
    {
        if (lent is { } candidate)
            _connection.AddLocalCandidate(candidate);
        _connection.SetSockets(now, sockets);
    }

    private void AddRelayed(Instant now, TransmitBatch batch, in Transmit transmit)
    {
        if (transmit.Path.Kind == Protocol.Paths.PathKind.Turn)
            Turn?.Send(now, LocalId, batch, transmit);
        else if (Relay is { } relay)
            AddRelayed(batch, transmit, relay);
    }

    private static void AddRelayed(TransmitBatch batch, in Transmit transmit, RelayRoute relay)
    {
        Span<byte> train = batch.Free[..transmit.Length];
        for (int start = 0; start < train.Length; start += transmit.DatagramSize)
            RelayFrame.WriteHeader(train[start..], relay.Leg);
        batch.Add(transmit.Length, transmit.DatagramSize, relay.Server);
    }
}
