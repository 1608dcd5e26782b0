namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Counts the bytes of a job as they move, from any thread. Each time it calls
/// <paramref name="moved"/>, which must be quick: it renews the stall deadline and shows progress.
/// </summary>
internal sealed class TransferMeter(Action moved)
{
    private long _content;
    private long _wire;
    private long _expected;

    /// <summary>Content moved in this phase, before compression.</summary>
    public long Content => Interlocked.Read(ref _content);

    /// <summary>Bytes given to the tunnel or taken from it in the whole job.</summary>
    public long Wire => Interlocked.Read(ref _wire);

    /// <summary>Content that this phase will move as far as known; 0 when it is not.</summary>
    public long Expected => Interlocked.Read(ref _expected);

    /// <summary>A new phase begins.</summary>
    public void Restart()
    {
        Interlocked.Exchange(ref _content, 0);
        Interlocked.Exchange(ref _expected, 0);
    }

    /// <summary>So much more is to be moved.</summary>
    public void Expect(long bytes) => Interlocked.Add(ref _expected, bytes);

    /// <summary>So much has moved.</summary>
    public void Move(long content, long wire)
    {
        Interlocked.Add(ref _content, content);
        Interlocked.Add(ref _wire, wire);
        moved();
    }
}
