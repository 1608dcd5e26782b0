using System.IO.Pipelines;
using System.Security.Cryptography;
using P2PMigrate.Migration.Control;
using P2PMigrate.Snapshot;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Stores the images that the source sends. A name is one safe component and new: nothing outside the directory and nothing that
/// the page writer has made is touched.
/// </summary>
// spec: MIG-24
internal sealed class ImageReceiver(string imageDirectory, TransferMeter meter)
{
    private const int NameLengthMax = 128;

    private readonly byte[] _block = new byte[64 * 1024];
    private long _total;

    /// <summary>Stores all files of a stream and returns their bytes.</summary>
    public async Task<long> ReceiveAsync(PipeReader input, CancellationToken cancellationToken)
    {
        for (int files = 0; ; files++)
        {
            byte[] record = await input.ReadRecordAsync(ControlLimits.MaxRecordLength, cancellationToken).ConfigureAwait(false);
            Wire.ImageFile file = PeerFault.Parse(Wire.ImageFile.Parser, record);
            if (file.Name.Length == 0)
                return _total;
            PeerFault.Require(files < ControlLimits.MaxImageFiles, "sent too many images");
            PeerFault.Require(IsSafeName(file.Name), "sent an image with a name that is none");
            PeerFault.Require(file.Size <= ControlLimits.MaxImageLength, "sent an image that is too large");
            _total += (long)file.Size;
            PeerFault.Require(_total <= ControlLimits.MaxImagesLength, "sent images that are too large together");
            await ReceiveFileAsync(input, file.Name, (long)file.Size, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Throws <see cref="SnapshotException"/> when no receiver would take the images of a directory.</summary>
    public static void RequireAcceptable(string imageDirectory)
    {
        FileInfo[] files = new DirectoryInfo(imageDirectory).GetFiles();
        bool isAcceptable = files.Length < ControlLimits.MaxImageFiles && files.Sum(file => file.Length) <= (long)ControlLimits.MaxImagesLength
            && files.All(file => IsSafeName(file.Name) && file.Length <= (long)ControlLimits.MaxImageLength);
        if (!isAcceptable)
            throw new SnapshotException("CRIU's images of this container are too many or too large: files in a tmpfs are in them. Make those smaller.");
    }

    /// <summary>Letters, digits and <c>_ . -</c>, the first a letter or a digit.</summary>
    internal static bool IsSafeName(string name) =>
        name.Length is > 0 and <= NameLengthMax
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '-');

    private async Task ReceiveFileAsync(PipeReader input, string name, long size, CancellationToken cancellationToken)
    {
        string path = Path.Combine(imageDirectory, name);
        PeerFault.Require(!File.Exists(path), $"sent the image {name} twice");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: false);
        await using (file.ConfigureAwait(false))
        {
            for (long left = size; left > 0;)
            {
                Memory<byte> room = _block.AsMemory(0, (int)Math.Min(left, _block.Length));
                int read = await input.ReadSomeAsync(room, cancellationToken).ConfigureAwait(false);
                file.Write(room.Span[..read]);
                hash.AppendData(room.Span[..read]);
                meter.Move(read, read);
                left -= read;
            }
        }

        byte[]? digest = await input.TryReadExactlyAsync(SHA256.HashSizeInBytes, cancellationToken).ConfigureAwait(false);
        PeerFault.Require(digest is not null && hash.GetHashAndReset().AsSpan().SequenceEqual(digest), $"sent the image {name} with another digest");
    }
}
