using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Turn;

/// <summary>What a <see cref="TurnClient"/> is made of.</summary>
public sealed record TurnClientOptions
{
    /// <summary>The UDP address of the server.</summary>
    public required NetworkAddress Server { get; init; }

    /// <summary>What a person calls the server.</summary>
    public required string Name { get; init; }

    /// <summary>Who asks.</summary>
    public required string Username { get; init; }

    /// <summary>The secret that goes with it; never sent.</summary>
    public required string Password { get; init; }

    /// <summary>Name and server, without the password.</summary>
    public override string ToString() => $"{Username} at {Name}";
}

/// <summary>Something that the driver learns.</summary>
public abstract record TurnEvent;

/// <summary>Whatever reaches this address, from a host that was sent to, comes here now.</summary>
public sealed record TurnAllocated(NetworkAddress Relayed) : TurnEvent;

/// <summary>The relayed address is gone.</summary>
public sealed record TurnLost : TurnEvent;

/// <summary>There is no allocation, for a reason in one sentence. Said once until there is one again.</summary>
public sealed record TurnFailed(string Sentence) : TurnEvent;

/// <summary>The server remembers an allocation of this socket that is not ours: take another socket, then <see cref="TurnClient.Start"/>.</summary>
public sealed record TurnSocketSpent : TurnEvent;
