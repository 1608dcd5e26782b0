using System.Security.Cryptography;
using P2PMigrate.Migration.Depots;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>A place in which some bit of one object is another one.</summary>
internal sealed class FlippingPlace(IObjectStore inner, string flipped) : IObjectStore
{
    public string Place => inner.Place;

    public Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.TryCreateAsync(name, content, cancellationToken);

    public async Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken)
    {
        byte[]? content = await inner.TryReadAsync(name, cancellationToken);
        return name == flipped ? Flip(content!) : content;
    }

    public Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    /// <summary>The same content but for one bit.</summary>
    public static byte[] Flip(byte[] content)
    {
        byte[] changed = [.. content];
        changed[RandomNumberGenerator.GetInt32(changed.Length)] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
        return changed;
    }
}
