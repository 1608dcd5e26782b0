using P2PMigrate.Lab;

namespace P2PMigrate.MatrixBench.Contenders;

/// <summary>Something that connects two peers.</summary>
internal interface IContender
{
    string Name { get; }

    /// <summary>Why it cannot take part here, in a sentence; null when it can.</summary>
    string? WhyNot { get; }

    /// <summary>Starts what peers meet at, for all runs of a cell.</summary>
    Task<IAsyncDisposable> MeetAsync(PeerLab lab, CancellationToken cancellationToken);

    /// <summary>One attempt with two fresh peers: the target waits, then the source dials.</summary>
    Task<Outcome> ConnectAsync(PeerLab lab, CancellationToken cancellationToken);
}
