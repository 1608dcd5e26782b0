using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Who gives pages to the restore in a work directory, and who keeps descriptors of it. They are known by a mark in their environment, and are in a cgroup of their own: whoever ends a service of this machine with all
/// that it has started means us, not a container that runs.
/// </summary>
internal sealed class LateProcesses(string workDirectory)
{
    /// <summary>Names the work directory in their environment; see <see cref="OwnedProcesses.Variable"/> for those that do not outlive the restore.</summary>
    public const string Variable = "P2PMIGRATE_LAZY_WORK";

    private const string PlacePrefix = "p2pmigrate-pages-";

    /// <summary>All of them.</summary>
    public IReadOnlyList<ProcessIdentity> All => OwnedProcesses.FindMarked(workDirectory, Variable);

    /// <summary>Those of them that keep descriptors.</summary>
    public IEnumerable<ProcessIdentity> Keepers => All.Where(DescriptorKeeper.Is);

    /// <summary>Makes the cgroup in which they are, if it is not there; returns its path, or null where it cannot be.</summary>
    public string? TryMakePlace()
    {
        foreach (string place in Places())
        {
            try
            {
                return Directory.CreateDirectory(place).FullName;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                // perhaps another mount shows one that can be written to
            }
        }

        return null;
    }

    /// <summary>Could it be made? Asked before there is anything to be in it: it does not stay, for a program that is killed before the restore would leave it.</summary>
    public bool CanMakePlace()
    {
        if (TryMakePlace() is not { } place) return false;
        new Cgroup(place).Remove();
        return true;
    }

    /// <summary>Kills those that give pages; false when there were none. They may have handed over meanwhile.</summary>
    public bool EndGivers()
    {
        bool found = false;
        foreach (ProcessIdentity giver in All.Where(process => !DescriptorKeeper.Is(process)))
        {
            giver.Kill();
            found = true;
        }

        return found;
    }

    /// <summary>Kills those that keep descriptors, but one. While somebody gives pages, it may be about to name another.</summary>
    public void EndKeepersBut(ProcessIdentity keeper)
    {
        foreach (ProcessIdentity stray in Keepers.Where(other => other != keeper)) stray.Kill();
    }

    /// <summary>Kills all of them and removes their cgroup. One that has not come there yet finds it gone, and ends.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        foreach (Cgroup cgroup in Places().Select(place => new Cgroup(place)).Where(cgroup => cgroup.Exists))
        {
            await cgroup.KillAsync(CheckpointTimers.Kill, cancellationToken).ConfigureAwait(false);
            cgroup.Remove();
        }
    }

    /// <summary>Where their cgroup is, if it is: at the top of the hierarchy, named by what no other directory of this machine is.</summary>
    public IEnumerable<string> Places()
    {
        if (Native.StatX(Native.CurrentDirectory, workDirectory, 0, Native.BasicStats, out Native.StatXResult facts) != 0) return [];
        string name = string.Create(CultureInfo.InvariantCulture, $"{PlacePrefix}{facts.DeviceMajor}-{facts.DeviceMinor}-{facts.Inode}");
        return Cgroup.PlacesBelow((mount, _) => [Path.Combine(mount, name)]);
    }
}
