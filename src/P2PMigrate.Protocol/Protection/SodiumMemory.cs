using System.Runtime.InteropServices;

namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// Memory for a key as libsodium gives it: between pages that nobody may touch, not swapped where the system allows it, cleared when it is
/// let go. Whoever uses <see cref="Address"/> keeps this alive meanwhile.
/// </summary>
internal sealed unsafe class SodiumMemory : SafeHandle
{
    private SodiumMemory(byte* address)
        : base(0, ownsHandle: true) => SetHandle((nint)address);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Where it is.</summary>
    /// <exception cref="ObjectDisposedException">It was let go.</exception>
    public byte* Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (byte*)handle;
        }
    }

    /// <summary>So many bytes, with nothing in particular in them.</summary>
    public static SodiumMemory Allocate(nuint length)
    {
        byte* address = Sodium.Allocate(length);
        return address is null ? throw new InvalidOperationException("No memory for a key.") : new(address);
    }

    /// <summary>As many as <paramref name="bytes"/>, and the same.</summary>
    public static SodiumMemory CopyOf(ReadOnlySpan<byte> bytes)
    {
        SodiumMemory memory = Allocate((nuint)bytes.Length);
        bytes.CopyTo(new(memory.Address, bytes.Length));
        return memory;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Sodium.Free((byte*)handle);
        return true;
    }
}
