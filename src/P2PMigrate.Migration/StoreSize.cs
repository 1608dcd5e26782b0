namespace P2PMigrate.Migration;

/// <summary>How much of a disk the content of earlier migrations may take.</summary>
public static class StoreSize
{
    private const int ShareOfDisk = 10;
    private const long MostByDefault = 8L << 30;

    /// <summary>What is sensible on the disk that holds <paramref name="state"/>: a tenth of it, and no more than an index in memory is worth.</summary>
    // spec: CONST-400
    public static long Default(StateDirectory state) => Math.Min(new DriveInfo(state.Root).TotalSize / ShareOfDisk, MostByDefault);
}
