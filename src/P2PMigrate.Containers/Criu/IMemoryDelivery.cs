namespace P2PMigrate.Containers.Criu;

/// <summary>How the memory of one dump comes to the sink that wants it. Used once. Disposing it ends what goes on.</summary>
internal interface IMemoryDelivery : IDisposable
{
    /// <summary>What runc is told of it.</summary>
    IReadOnlyList<string> RuncOptions { get; }

    /// <summary>What a CRIU that no runtime starts is told of it on its command line.</summary>
    IReadOnlyList<string> DirectOptions { get; }

    /// <summary>What CRIU is told of it, besides: lines of its configuration.</summary>
    IReadOnlyList<string> CriuOptions { get; }

    /// <summary>How long it may last beyond CRIU's successful end.</summary>
    TimeSpan Patience { get; }

    /// <summary>No more is needed from us but the descriptors that CRIU has inherited.</summary>
    void Started();

    /// <summary>
    /// Delivers all of it; returns how many pages had content. <paramref name="complete"/> is true as soon as CRIU has written all images and put nothing of its own into the
    /// processes any more, false when it never will have.
    /// </summary>
    Task<long> RunAsync(Task<bool> complete, CancellationToken cancellationToken);
}
