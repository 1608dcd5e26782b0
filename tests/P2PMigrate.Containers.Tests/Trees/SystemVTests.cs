using P2PMigrate.Containers.Trees;

namespace P2PMigrate.Containers.Tests.Trees;

/// <summary>The kernel's tables of System V objects.</summary>
public sealed class SystemVTests
{
    private static readonly string[] s_memory =
    [
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap",
        "     28721          3  1600                  8192   512   640      1     0     0     0     0 1732790000          0 1732790000                  4096                     0",
    ];

    private static readonly string[] s_queues =
    [
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime",
        "     28722          0  1600           4          1   700     0     0     0     0     0 1732790000          0 1732790000",
        "garbage",
    ];

    [Fact]
    public void Whoever_made_or_used_an_object_last_is_found_by_its_column()
    {
        SystemV memory = Assert.Single(SystemV.Parse(s_memory)), queue = Assert.Single(SystemV.Parse(s_queues));
        Assert.Equal(("28721", "28722"), (memory.Key, queue.Key));
        Assert.Equal([512, 640], memory.Pids);
        Assert.Equal([700], queue.Pids);
        Assert.Empty(SystemV.Parse([]));
    }
}
