using System.CommandLine;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary>The argument <c>JOB</c> of the commands that are about one.</summary>
internal static class JobArgument
{
    /// <summary>The argument itself.</summary>
    public static Argument<string> Create() => new("JOB") { Description = "The job, as `p2pmigrate jobs` lists it." };

    /// <summary>What was typed; throws <see cref="UsageException"/> when it is no job.</summary>
    public static JobId Of(ParseResult parsed, Argument<string> argument) => JobId.TryParse(parsed.GetValue(argument), out JobId job)
        ? job
        : throw new UsageException("A job is 32 hexadecimal digits, as `p2pmigrate jobs` lists them.");
}
