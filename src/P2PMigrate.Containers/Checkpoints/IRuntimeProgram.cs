using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>What differs between container runtimes when a container is frozen, dumped by CRIU, ended, and restored: their names, questions and commands.</summary>
internal interface IRuntimeProgram
{
    /// <summary>As the user types it.</summary>
    string Name { get; }

    /// <summary>The criu program.</summary>
    string Criu { get; }

    /// <summary>Is it CRIU alone, so that no other program has a version, and nobody but the kernel knows names?</summary>
    bool IsCriu => false;

    /// <summary>By which command a user gets a program into a container that runs.</summary>
    string AttachCommand { get; }

    /// <summary>
    /// Is the container's network part of a dump? Then its links must stay up while it stands still: routes over one that is down are dumped as such, and <c>ip route restore</c> takes
    /// none of them.
    /// </summary>
    bool DumpsNetwork { get; }

    /// <summary>The first version that can be worked with.</summary>
    ToolVersion VersionMin { get; }

    Task<ToolVersion> VersionAsync(CancellationToken cancellationToken);

    /// <summary>What a person must know of how the runtime is installed, besides its version.</summary>
    IReadOnlyList<Finding> CheckInstallation() => [];

    Task<ToolVersion> CriuVersionAsync(CancellationToken cancellationToken);

    /// <summary>The container of this name, or null when the runtime knows none.</summary>
    Task<KnownContainer?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// The cgroup with everything of a container that runs, whose first process this is. The first process may sit in one below: systemd gives itself and each of its services one.
    /// </summary>
    // spec: MIG-162
    Cgroup CgroupOf(string name, int init);

    /// <summary>Is something left of a container of this name, which the runtime does not know any more but trips over?</summary>
    bool HasRemainsOf(string name);

    /// <summary>What a person types to end a container that runs, or to be rid of one that is known.</summary>
    string RemovalCommand(string name);

    /// <summary>What a person types to start a container whose files are in <paramref name="bundle"/>.</summary>
    string StartCommand(string name, string bundle);

    /// <summary>What a person types to end a container that runs.</summary>
    string KillCommand(string name);

    /// <summary>Options of a dump that must be asked for first.</summary>
    Task<IReadOnlyList<string>> DumpOptionsAsync(FenceRecord fence, bool keepsCgroups, CancellationToken cancellationToken);

    /// <summary>The command that dumps a container and leaves it running. CRIU's configuration is in the environment; its log is <c>dump.log</c> in <paramref name="workDirectory"/>.</summary>
    IEnumerable<string> DumpCommand(FenceRecord fence, string imageDirectory, string workDirectory, IMemoryDelivery memory, IReadOnlyList<string> options);

    /// <summary>The command that gives memory pages to a restored container while it runs, for a runtime that can restore so; see <see cref="Lazy.LateGiving"/>. Null where it cannot.</summary>
    IReadOnlyList<string>? PageProgram => null;

    /// <summary>What a container that stands still holds and its dump lacks, as a sentence; null when there is nothing.</summary>
    string? Loses(FenceRecord fence) => null;

    /// <summary>Lines of CRIU's configuration for a dump: what the runtime itself takes no options for.</summary>
    IEnumerable<string> DumpLines(FenceRecord fence, IMemoryDelivery memory) => [];

    /// <summary>The runtime's own complaint that tells most about the command that writes <paramref name="log"/> (<c>dump</c>, <c>restore</c>), as a sentence, or null.</summary>
    string? ComplaintOf(string workDirectory, string log);

    /// <summary>The number of the first process that a restore in this work directory made, where that was written down.</summary>
    int? RestoredInit(string workDirectory);

    /// <summary>Gives the runtime's own processes of a restore that has failed the time to undo what they did.</summary>
    Task SettleAsync(string workDirectory, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Forgets a container whose processes have ended, or of which none is left; what it has besides processes goes. Nothing happens when it is not known.</summary>
    Task ForgetAsync(string name, CancellationToken cancellationToken);

    /// <summary>As <see cref="ForgetAsync"/>, for what a restore that did not come to its end has left; its processes are killed already.</summary>
    Task ForgetRestoreAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken);
}
