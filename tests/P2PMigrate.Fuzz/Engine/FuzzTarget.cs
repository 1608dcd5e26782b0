namespace P2PMigrate.Fuzz.Engine;

/// <summary>
/// Something that reads bytes of a peer. <paramref name="Run"/> returns whatever it makes of them and throws only when the
/// product is wrong. <paramref name="Seeds"/> are good inputs, so that mutation starts behind the first check.
/// </summary>
internal sealed record FuzzTarget(string Name, Action<byte[]> Run, Func<IEnumerable<byte[]>> Seeds)
{
    /// <summary>Inputs are cut to this length.</summary>
    public int MaxLength { get; init; } = 4096;

    /// <summary>Everything to start from: the seeds, and the corpus beside the program.</summary>
    public IEnumerable<byte[]> Inputs() => Seeds().Concat(Corpus.Of(Name).Select(File.ReadAllBytes));
}
