using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Linux;

/// <summary>Memory of processes that run: this one's, and of others that come and go.</summary>
public sealed unsafe class LiveMemoryTests
{
    private const int Pages = 600;
    private const int Size = PageRun.PageSize;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Spec", "MEM-10")]
    public void What_a_process_wrote_is_found_at_its_address_and_what_it_never_touched_is_not(bool useScan)
    {
        // Far larger than what is written, and untouched in between: a mapping of its own with holes.
        const int reserved = 8 * Pages;
        byte* memory = (byte*)NativeMemoryOfTest.AlignedAlloc(reserved * Size, 2 << 20);
        using var file = MemoryMappedFile.CreateNew(null, Pages * Size);
        using MemoryMappedViewAccessor view = file.CreateViewAccessor();
        byte* shared = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref shared);
        try
        {
            for (int page = 0; page < Pages; page++)
            {
                Fill(memory + (page * 2L * Size), 1, page);
                Fill(shared + (page * Size), 2, page);
            }

            Dictionary<ulong, byte[]> found = Read([Environment.ProcessId], useScan);
            for (int page = 0; page < Pages; page++)
            {
                Assert.Equal(Expected(1, page), found[(ulong)memory + ((ulong)page * 2 * Size)]);
                Assert.Equal(Expected(2, page), found[(ulong)shared + ((ulong)page * Size)]);
            }

            Assert.DoesNotContain((ulong)memory + ((reserved - 1UL) * Size), found);
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            NativeMemoryOfTest.AlignedFree(memory);
        }
    }

    [Fact]
    [Trait("Spec", "MEM-11")]
    public void Processes_that_end_exec_and_unmap_meanwhile_are_no_error()
    {
        using Process restless = Process.Start(new ProcessStartInfo("sh", ["-c", "while :; do sh -c 'exec true'; (exit) & wait; done"]))!;
        try
        {
            for (int pass = 0; pass < 40; pass++)
                Read([restless.Id, .. Children(restless.Id), int.MaxValue, 1 << 22], useScan: pass % 2 == 0);
            Assert.NotEmpty(Read([restless.Id], useScan: true));
        }
        finally
        {
            restless.Kill(entireProcessTree: true);
            restless.WaitForExit();
        }

        Assert.Empty(Read([restless.Id], useScan: true));
    }

    [Fact]
    [Trait("Spec", "MEM-11")]
    public void A_list_of_processes_that_cannot_be_read_is_an_empty_pass() =>
        new LiveMemoryReader(() => throw new DirectoryNotFoundException(), _ => true).ReadPass((_, _, _) => Assert.Fail("nothing is there"), CancellationToken.None);

    [Fact]
    [Trait("Spec", "MEM-14")]
    public void A_process_that_does_not_belong_to_the_container_any_more_is_not_read()
    {
        var asked = new List<int>();
        var reader = new LiveMemoryReader(() => [Environment.ProcessId], pid =>
        {
            asked.Add(pid);
            return false;
        });
        reader.ReadPass((_, _, _) => Assert.Fail("it is another's"), CancellationToken.None);
        Assert.Equal([Environment.ProcessId], asked);
        Assert.Equal(0, reader.UnseenBytes);
    }

    [Fact]
    [Trait("Spec", "MEM-14")]
    public void What_was_read_of_a_process_that_has_ended_meanwhile_is_thrown_away()
    {
        using Process sleeper = Process.Start("sleep", ["1000"]);
        using ProcessHandle handle = ProcessHandle.TryOpen(sleeper.Id)!;
        Assert.True(handle.IsSame);
        sleeper.Kill();
        sleeper.WaitForExit();
        Assert.True(SpinWait.SpinUntil(() => !handle.IsSame, TimeSpan.FromSeconds(30)));
        Assert.Null(ProcessHandle.TryOpen(int.MaxValue));
    }

    [Fact]
    [Trait("Spec", "MEM-11")]
    [Trait("Spec", "MEM-14")]
    public void A_cgroup_knows_its_processes_and_no_others_and_threaded_ones_below_hide_none()
    {
        Assert.SkipUnless(Environment.UserName == "root", "needs root");
        Cgroup own = Cgroup.Of(Environment.ProcessId);
        Assert.True(own.Holds(Environment.ProcessId));
        Assert.False(own.Holds(int.MaxValue));
        string top = $"{own.Path}/p2pmigrate-test-{Environment.ProcessId}", below = Path.Combine(top, "threads");
        using Process sleeper = Process.Start("sleep", ["1000"]);
        try
        {
            Directory.CreateDirectory(below);
            File.WriteAllText(Path.Combine(below, "cgroup.type"), "threaded");
            File.WriteAllText(Path.Combine(top, "cgroup.procs"), $"{sleeper.Id}");
            Assert.Equal([sleeper.Id], new Cgroup(top).Pids());
            Assert.True(new Cgroup(top).Holds(sleeper.Id));
            Assert.False(new Cgroup(top).Holds(Environment.ProcessId));
            Assert.False(new Cgroup(top[..^1]).Holds(sleeper.Id));
        }
        finally
        {
            sleeper.Kill();
            sleeper.WaitForExit();
            SpinWait.SpinUntil(() => !new Cgroup(top).IsPopulated, TimeSpan.FromSeconds(30));
            new Cgroup(top).Remove();
        }
    }

    [Theory]
    [InlineData("7f0-7f1 rw-p 00000000 00:00 0 ", false)]
    [InlineData("7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ", true)]
    [InlineData("7f0000000000-7f0000001000 r-xp 00001000 fe:01 123   /usr/lib/with space", true)]
    [InlineData("7f0000000000-7f0000001000 rw-s 00001000 fe:01 123   /data/file", false)]
    [InlineData("7f0000000000-7f0000001000 rw-s 00000000 00:01 9 /dev/zero (deleted)", true)]
    [InlineData("7f0000000000-7f0000001000 rw-s 00000000 00:01 9 /memfd:name (deleted)", true)]
    [InlineData("7f0000000000-7f0000001000 rw-s 00000000 00:06 9 /dev/nvidia0", false)]
    [InlineData("7ffd000f0000-7ffd000f2000 r-xp 00000000 00:00 0 [vdso]", false)]
    [InlineData("7ffd000f0000-7ffd000f2000 r--p 00000000 00:00 0 [vvar_vclock]", false)]
    [InlineData("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]", false)]
    public void Mappings_that_a_dump_holds_are_told_from_those_it_does_not(string line, bool isDumped)
    {
        bool isSound = MemoryMapping.TryParse(line, out MemoryMapping mapping);
        Assert.Equal(isDumped, isSound && mapping.IsDumped && mapping.Start % Size == 0);
    }

    [Fact]
    public void A_line_that_is_none_is_refused()
    {
        const string good = "7f0000000000-7f0000001000 rw-p 00000000 00:00 0";
        for (int length = 0; length < good.Length; length++)
            Assert.False(MemoryMapping.TryParse(good.AsSpan(0, length), out _) && length < good.Length - 1, good[..length]);
        Assert.False(MemoryMapping.TryParse("7f0000001000-7f0000000000 rw-p 00000000 00:00 0", out _));
    }

    private static IEnumerable<int> Children(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static Dictionary<ulong, byte[]> Read(int[] pids, bool useScan)
    {
        var found = new Dictionary<ulong, byte[]>();
        var reader = new LiveMemoryReader(() => pids, _ => true, new PresentPages(useScan));
        var reading = new Thread(() => reader.ReadPass(
            (_, address, pages) =>
            {
                Assert.True(pages.Length > 0 && pages.Length % Size == 0 && address % Size == 0);
                for (int offset = 0; offset < pages.Length; offset += Size)
                {
                    // Only what the test wrote is kept: this process's memory holds what is kept as well.
                    if (BitConverter.ToUInt64(pages[offset..]) >> 32 == Mark)
                        found[address + (ulong)offset] = pages.Slice(offset, Size).ToArray();
                    else
                        found.TryAdd(address + (ulong)offset, []);
                }
            },
            CancellationToken.None));
        reading.Start();
        reading.Join();
        return found;
    }

    private const ulong Mark = 0x5eed_c0de;

    private static void Fill(byte* destination, int seed, int page) => Expected(seed, page).CopyTo(new Span<byte>(destination, Size));

    private static byte[] Expected(int seed, int page)
    {
        byte[] bytes = new byte[Size];
        new Random((seed << 16) + page).NextBytes(bytes);
        BitConverter.TryWriteBytes(bytes, (Mark << 32) | (uint)page);
        return bytes;
    }

    private static class NativeMemoryOfTest
    {
        public static void* AlignedAlloc(nuint size, nuint alignment) => System.Runtime.InteropServices.NativeMemory.AlignedAlloc(size, alignment);

        public static void AlignedFree(void* memory) => System.Runtime.InteropServices.NativeMemory.AlignedFree(memory);
    }
}
