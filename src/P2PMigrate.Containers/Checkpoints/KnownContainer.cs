using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>A container as its runtime knows it.</summary>
/// <param name="Status"><see cref="Running"/>, <see cref="Paused"/>, or the runtime's word for anything else.</param>
/// <param name="Pid">The first process in our pid namespace; zero when there is none.</param>
/// <param name="Created">Tells it from a later one of the same name.</param>
/// <param name="Bundle">Where its files are.</param>
internal sealed record KnownContainer(string Status, int Pid, string Created, string Bundle)
{
    public const string Running = "running";
    public const string Paused = "paused";

    /// <summary>Has it processes, that run or could?</summary>
    public bool Lives => Status is Running or Paused;

    /// <summary>The status of a container that runs by the word of a runtime which does not look whether somebody else has frozen its cgroup.</summary>
    public static string RunningOrPaused(IRuntimeProgram runtime, string name, int pid)
    {
        try
        {
            return pid > 0 && runtime.CgroupOf(name, pid).IsFrozen ? Paused : Running;
        }
        catch (Exception gone) when (gone is IOException or ContainerException)
        {
            return Running;
        }
    }

    /// <summary>Throws <see cref="ContainerException"/> for a container that does not run. What a person types to let one go on that is paused is <paramref name="resume"/>.</summary>
    public static void RequireRunning(string name, string status, string resume)
    {
        if (status == Running) return;
        throw new ContainerException(status == Paused
            ? $"The container {name} is paused. If a migration of it is under way or in doubt, leave it so: `p2pmigrate migrate` says what to do. If you paused it yourself, type: {resume}"
            : $"The container {name} is {status}, not running.");
    }
}
