using P2PMigrate.Containers.Criu;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class CriuLogTests
{
    [Theory]
    [InlineData("Error (criu/files-ext.c:98): Can't dump file 3 of that type [600] (anon anon_inode:[userfaultfd])", "userfaultfd")]
    [InlineData("Error (criu/proc_parse.c:484): Unknown shit 600 (anon_inode:[io_uring])", "io_uring")]
    [InlineData("Error (criu/files-ext.c:98): Can't dump file 45 of that type [600] (anon anon_inode:bpf-prog)", "BPF")]
    [InlineData("Error (criu/namespaces.c:1010): Can't dump nested uts namespace for 12", "uts namespace of its own")]
    [InlineData("Error (criu/files-reg.c:1859): Can't lookup mount=249 for fd=1 path=/tmp/o", "Descriptor 1 of a process is the file /tmp/o")]
    [InlineData("Error (criu/sk-unix.c:811): unix: External socket is used. Consider using --ext-unix-sk option.", "Unix socket outside")]
    [InlineData("Error (criu/sk-unix.c:700): unix: Can't dump half of stream unix connection.", "Unix socket outside")]
    [InlineData("Error (criu/sk-unix.c:700): unix: Unix socket 498259 without peer 1", "datagram")]
    [InlineData("Error (criu/files-reg.c:1016): Can't dump ghost file /x of 4194304 size, increase limit", "4194304 bytes")]
    [InlineData("Error (criu/file-lock.c:110): Some file locks are hold by dumping tasks! You can try --file-locks to dump them.", "file locks")]
    [InlineData("Error (criu/tty.c:1940): tty: Unable to find a master for /4", "terminal")]
    [InlineData("Error (criu/pstree.c:400): A session leader of 1551(10) is outside of its pid namespace", "runc exec")]
    [InlineData("Error (criu/sk-unix.c:900): unix: Non-empty write queue on an in-flight socket 0x179fc6", "try again")]
    [InlineData("Error (criu/sk-queue.c:144): skqueue: Control messages in queue, not supported", "try again")]
    [InlineData("Error (criu/cr-dump.c:371): Can't get rlimit 0: Operation not permitted", "CAP_SYS_RESOURCE")]
    [InlineData("Error (criu/sockets.c:628): sockets: Can't get 1:16 opt: Operation not supported", "CRIU 4.2")]
    [InlineData("Error (criu/page-pipe.c:100): page-pipe: tee: 65536: Operation not permitted", "fs.pipe-max-size")]
    [InlineData("Error (criu/files-reg.c:2153): File tmp/out has bad size 49 (expect 47)", "The file tmp/out has 49 bytes here but 47 at the source.")]
    [InlineData("Error (criu/files-reg.c:2290): File etc/x has bad mode 0100600 (expect 0100644)", "mode 0100600 here but 0100644")]
    [InlineData("Error (criu/page-xfer.c:200): page-xfer: Can't write pages to socket: Broken pipe", "memory pages could not be delivered")]
    [InlineData("Error (criu/cr-restore.c:2189): Aborting restore due to post-restore script ret code -1", "called off")]
    [InlineData("Error (criu/sk-inet.c:1037): inet: Can't bind inet socket (id 21): Address already in use", "port")]
    [InlineData("Error (criu/sk-inet.c:1037): inet: Can't bind inet socket (id 21): Cannot assign requested address", "An address")]
    [InlineData("Error (soccr/soccr.c:600): Can't connect inet socket back: Network is unreachable", "An address")]
    [InlineData("Error (criu/image.c:10): Unable to write: No space left on device", "disk")]
    public void A_known_cause_becomes_a_sentence(string complaint, string words)
    {
        string[] log =
        [
            "(00.002930) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted",
            "(00.003000) Some ordinary line", $"(00.100000) {complaint}", "(00.200000) Error (criu/cr-dump.c:2128): Dumping FAILED.",
        ];
        Assert.Contains(words, CriuLog.Explain(log));
    }

    [Fact]
    public void An_unknown_complaint_is_quoted_without_its_decoration() => Assert.Equal(
        "CRIU says: something new broke.",
        CriuLog.Explain(["(00.1) pie: 1: Error (criu/pie/restorer.c:12): something new broke", "(00.2) Error (criu/cr-restore.c:1): Restoring FAILED."]));

    [Fact]
    public void A_later_known_cause_says_more_than_an_earlier_unknown_complaint() => Assert.Equal(
        "The file a has 1 bytes here but 2 at the source.",
        CriuLog.Explain(["Error (criu/a.c:1): odd", "Error (criu/files-reg.c:2153): File a has bad size 1 (expect 2)"]));

    [Fact]
    public void Harmless_lines_are_no_explanation()
    {
        Assert.Null(CriuLog.Explain(["(00.002930) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted", "Warn  (criu/x.c:1): odd"]));
        Assert.Null(CriuLog.Explain("/nonexistent/dump.log"));
    }

    [Theory]
    [Trait("Spec", "MEM-33")]
    [InlineData("(00.1) Error (criu/mem.c:1): odd\n(00.2) Error (criu/cr-dump.c:2111): Dumping FAILED.\n", true)]
    [InlineData("(00.1) Error (criu/mem.c:1): odd\n(00.2) Seized task 12\n", false)]
    [InlineData("", false)]
    public async Task A_dump_that_was_killed_has_not_given_up(string log, bool hasGivenUp)
    {
        string path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, log, TestContext.Current.CancellationToken);
        Assert.Equal(hasGivenUp, CriuLog.HasGivenUp(path));
        File.Delete(path);
        Assert.False(CriuLog.HasGivenUp(path));
    }

    [Theory]
    [Trait("Spec", "MIG-14")]
    [InlineData("(00.1) Seized task 12, state 1\n(00.2) Parasite syscall_ip at 0x1\n", true)]
    [InlineData("(00.1) Seized task 12, state 1\n(00.2) Dumping finished successfully\n", false)]
    [InlineData("(00.1) Seized task 12, state 1\n(00.2) Error (criu/cr-dump.c:2111): Dumping FAILED.\n", false)]
    [InlineData("(00.1) Running pre-dump scripts\n", false)]
    [InlineData("", false)]
    public async Task A_log_that_ends_while_CRIU_holds_processes_is_cut_off(string log, bool isCutOff)
    {
        string path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, log, TestContext.Current.CancellationToken);
        Assert.Equal(isCutOff, CriuLog.IsCutOff(path));
        File.Delete(path);
        Assert.False(CriuLog.IsCutOff(path));
    }

    /// <summary>Names of files are in it too.</summary>
    [Theory]
    [Trait("Spec", "MIG-59")]
    [InlineData("(00.1) Error (criu/files.c:1): odd\n(00.2) Error (criu/cr-restore.c:2536): Restoring FAILED.\n", true)]
    [InlineData("(00.1) Collected [srv/Restoring FAILED.] ID 0x1\n", false)]
    [InlineData("(00.1) Error (criu/cr-restore.c:2400): Pre-resume script ret code 1\n(00.2) Error (criu/cr-restore.c:2536): Restoring FAILED.\n", false)]
    [InlineData("(00.1) Run late stage hook\n", false)]
    [InlineData("", false)]
    public async Task Only_CRIU_says_that_it_has_undone_a_restore(string log, bool hasUndone)
    {
        string path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, log, TestContext.Current.CancellationToken);
        Assert.Equal(hasUndone, CriuLog.HasUndoneRestore(path));
        File.Delete(path);
        Assert.False(CriuLog.HasUndoneRestore(path));
    }
}
