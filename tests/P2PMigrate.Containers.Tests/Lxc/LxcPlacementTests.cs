using System.Text;
using P2PMigrate.Containers.Lxc;

namespace P2PMigrate.Containers.Tests.Lxc;

/// <summary>A program that was killed while it wrote a received container's configuration leaves nothing behind, and nothing of anybody else's goes.</summary>
public sealed class LxcPlacementTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("p2pmigrate-placement-").FullName;

    private string Place => Path.Combine(_root, "c1", "config");

    [Fact]
    public void A_write_is_undone_wherever_it_was_stopped()
    {
        LxcPlacement.Undo(Place);
        Directory.CreateDirectory(Path.GetDirectoryName(Place)!);
        LxcPlacement.Undo(Place);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));

        Directory.CreateDirectory(Path.GetDirectoryName(Place)!);
        File.WriteAllText(Place + ".new", "# Received by");
        LxcPlacement.Undo(Place);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));

        LxcPlacement.Write(Place, LxcConfiguration.Parse(Encoding.UTF8.GetBytes("lxc.uts.name = c1\n"))!, "/elsewhere/rootfs");
        LxcPlacement.Undo(Place);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void What_is_somebody_elses_stays()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Place)!);
        File.WriteAllText(Place, "lxc.uts.name = c1\n");
        LxcPlacement.Undo(Place);
        Assert.Equal("lxc.uts.name = c1\n", File.ReadAllText(Place));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
