namespace P2PMigrate.Agent.State;

/// <summary>Files whose content is a permission: only their owner may read them.</summary>
internal static class SecretFile
{
    /// <summary>What the mode of such a file may be at most.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Puts <paramref name="text"/> in the place of <paramref name="path"/>: a reader sees the old content or the new one,
    /// never half of it. A link that somebody left there is replaced, not followed.
    /// </summary>
    public static void Replace(string path, string text)
    {
        string draft = $"{path}.{Guid.NewGuid():N}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
            using (var file = new FileStream(draft, options))
            {
                using var writer = new StreamWriter(file, leaveOpen: true);
                writer.Write(text);
                writer.Flush();
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}
