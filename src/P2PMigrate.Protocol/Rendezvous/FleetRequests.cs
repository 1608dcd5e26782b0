using System.Globalization;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>Names a server within its fleet: random, chosen by the server at each start.</summary>
public readonly record struct ServerId(ulong Value)
{
    /// <summary>A fresh id.</summary>
    public static ServerId Create(IEntropy entropy) => new(RandomId.Next(entropy));

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}

/// <summary>A server's place in a fleet.</summary>
/// <param name="Id">Its name in the directory.</param>
/// <param name="Address">Where the other servers' frames for it are to go; they believe it when it answers there.</param>
public sealed record FleetMembership(ServerId Id, NetworkAddress Address);

/// <summary>Something that a server wants from the directory of its fleet. None of it is needed by the server's own peers.</summary>
/// <remarks>spec: RDV-40.</remarks>
public abstract record FleetRequest;

/// <summary>That peer, or side of a channel, is here, for so long.</summary>
public sealed record AnnounceKey(FleetKey Key, TimeSpan Lifetime) : FleetRequest;

/// <summary>It is not here any more. Somebody else's entry for it stays.</summary>
public sealed record WithdrawKey(FleetKey Key) : FleetRequest;

/// <summary>
/// A message for whichever server has that peer or side. What became of it is told with
/// <see cref="RendezvousServerCore.HandleFleetOutcome"/> and <paramref name="Token"/>.
/// </summary>
public sealed record TellHolder(FleetKey Key, OfferId Token, ReadOnlyMemory<byte> Message) : FleetRequest;

/// <summary>A message for that server.</summary>
public sealed record TellServer(ServerId Server, ReadOnlyMemory<byte> Message) : FleetRequest;

/// <summary>What became of a message for whoever has a key.</summary>
public enum FleetOutcome
{
    /// <summary>A server took it.</summary>
    Taken,

    /// <summary>The directory knows no such key, or its server is gone.</summary>
    Unknown,

    /// <summary>The directory did not answer, or not in time.</summary>
    Failed,
}
