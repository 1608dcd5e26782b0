using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Loop;

/// <summary>
/// What a <see cref="DatagramLoop"/> drives: the pure cores behind one socket. Everything here runs on the loop's thread
/// and on no other, so the cores need no locks.
/// </summary>
internal interface IDatagramOwner
{
    /// <summary>When <see cref="HandleTimeout"/> is due at the latest.</summary>
    Instant NextTimeout { get; }

    /// <summary>May another train come? If not, the loop sends first, even in the middle of what it received.</summary>
    bool HasRoom { get; }

    /// <summary>Datagrams came together from one remote. Their bytes are the loop's again when this returns.</summary>
    void HandleTrain(Instant now, DatagramTrain train);

    /// <summary>The time is <paramref name="now"/>; does what is due.</summary>
    void HandleTimeout(Instant now);

    /// <summary>Passes on to the application what the inputs led to. Called after inputs, before transmits are asked for.</summary>
    void DeliverEvents(Instant now);

    /// <summary>Adds what is to be sent now until nothing is left or <paramref name="batch"/> is full.</summary>
    void FillTransmits(Instant now, TransmitBatch batch);

    /// <summary>The machine refused to send datagrams of this size there: an interface cannot carry them.</summary>
    void HandleTooLong(Instant now, NetworkAddress remote, int size);

    /// <summary>The loop ended, because it was asked to or because of <paramref name="error"/>. The last call.</summary>
    void HandleStopped(Exception? error);
}
