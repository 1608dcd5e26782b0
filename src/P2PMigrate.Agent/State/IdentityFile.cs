using System.Security.Cryptography;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.State;

/// <summary>
/// This peer's private key on disk: 32 raw bytes in a file that only its owner may read, made on first use. A key that others could
/// read, or that is not 32 bytes long, is refused: a new identity is never made in place of one that is there.
/// </summary>
/// <remarks>spec: ID-01.</remarks>
internal static class IdentityFile
{
    private const string Name = "identity.key";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads the key in <paramref name="directory"/>, making it first if there is none.</summary>
    public static PrivateIdentity LoadOrCreate(string directory)
    {
        string path = Path.Combine(directory, Name);
        if (!File.Exists(path))
            Create(directory, path);
        return Load(path);
    }

    private static PrivateIdentity Load(string path)
    {
        UnixFileMode mode = File.GetUnixFileMode(path);
        if ((mode & ~OwnerOnly) != 0)
            throw new UsageException($"The key {path} may be read by others. If it is still yours alone, type: chmod 600 {path}");
        byte[] bytes = File.ReadAllBytes(path);
        try
        {
            return bytes.Length == PrivateIdentity.Size
                ? PrivateIdentity.Import(bytes)
                : throw new UsageException($"The key {path} is damaged ({bytes.Length} bytes instead of {PrivateIdentity.Size}). Put a copy back, or move it away to become a new peer.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Written beside its place and linked into it, so that of two programs at once the first one's key stays.</summary>
    private static void Create(string directory, string path)
    {
        string draft = Path.Combine(directory, $".{Name}.{Guid.NewGuid():N}");
        byte[] bytes = RandomNumberGenerator.GetBytes(PrivateIdentity.Size);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
            using (var file = new FileStream(draft, options))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }
            File.Move(draft, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
