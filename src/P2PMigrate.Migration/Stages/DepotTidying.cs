namespace P2PMigrate.Migration.Stages;

/// <summary>Removes what nobody needs any more from a place. What the place does not let go of takes room, and changes nothing else.</summary>
internal static class DepotTidying
{
    /// <summary>Carries out <paramref name="removal"/> as far as the place lets it.</summary>
    public static async Task TryAsync(Func<Task> removal)
    {
        try
        {
            await removal().ConfigureAwait(false);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException or Snapshot.SnapshotException)
        {
            // The next stage of the container passes over it.
        }
    }
}
