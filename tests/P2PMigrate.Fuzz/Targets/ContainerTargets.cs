using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Fuzz.Engine;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>CRIU's images and runc's configuration, which at the target came from the peer.</summary>
internal static class ContainerTargets
{
    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("criu-image", RunImage, () => [Image(ImageFile.FilesMagic), Image(ImageFile.RemapsMagic), Image(ImageFile.MountsMagic), Image(ImageFile.FdinfoMagic)]),
        new("criu-page-server", RunHeader, () => [new byte[24], new byte[32]]) { MaxLength = 64 },
        new("bundle-configuration", bytes => BundleConfiguration.TryParse(bytes, out _), () => ["""{"process":{"args":["a"]},"root":{"path":"r"},"linux":{"namespaces":[]}}"""u8.ToArray()]),
    ];

    private static void RunImage(byte[] bytes)
    {
        ImageFile.TryParse(bytes, ImageFile.FilesMagic, FileEntry.Parser, out _);
        ImageFile.TryParse(bytes, ImageFile.RemapsMagic, RemapFilePathEntry.Parser, out _);
        ImageFile.TryParse(bytes, ImageFile.MountsMagic, MntEntry.Parser, out _);
    }

    private static void RunHeader(byte[] bytes)
    {
        PageServerHeader.TryParse(bytes, new PageServerDialect(WideCounts: false), out _);
        PageServerHeader.TryParse(bytes, new PageServerDialect(WideCounts: true), out _);
    }

    private static byte[] Image(uint magic)
    {
        using var stream = new MemoryStream();
        ImageFile.WriteMagic(stream, magic);
        ImageFile.WriteRecord(stream, new FileEntry { Id = 1 });
        return stream.ToArray();
    }
}
