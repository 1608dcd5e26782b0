using System.CommandLine;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary>The options that say what of a container of this machine is meant: <c>--bundle</c>, <c>--volume</c>, <c>--volumes</c>.</summary>
internal sealed class SourceContainer
{
    private const string Policies = "copy|expect|skip";

    private static readonly Dictionary<string, VolumePolicy> s_policies = new() { ["copy"] = VolumePolicy.Copy, ["expect"] = VolumePolicy.Expect, ["skip"] = VolumePolicy.Skip };

    private readonly Option<string?> _bundle = new("--bundle")
    {
        Description = "The container's bundle, where the runtime does not know it.",
        HelpName = "DIR",
    };

    private readonly Option<string[]> _volume = new("--volume")
    {
        Description = "What becomes of the directory or file of this machine that the container sees at PATH: copy (it goes along), expect (the target has the same in the same place, which is the default), skip (it is empty there). "
            + "May be said for several.",
        HelpName = $"PATH={Policies}",
        AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<string?> _volumes = new("--volumes")
    {
        Description = "The same of all others that can go along.",
        HelpName = Policies,
    };

    public SourceContainer() => _volumes.AcceptOnlyFromAmong([.. s_policies.Keys]);

    /// <summary>All of them.</summary>
    public IEnumerable<Option> Options => [_bundle, _volume, _volumes];

    /// <summary>One that was typed, for a command that has no use for it; or null.</summary>
    public string? Typed(ParseResult parsed) => Options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;

    /// <summary>The container as it runs, with its volumes treated as the user said.</summary>
    public async Task<ContainerDescription> InspectAsync(ParseResult parsed, MigrationEnvironment environment, string name, CancellationToken cancellationToken)
    {
        var choice = new VolumeChoice { Others = s_policies[parsed.GetValue(_volumes) ?? "expect"], Named = NamedIn(parsed.GetValue(_volume) ?? []) };
        ContainerDescription container = await environment.Runtime.InspectAsync(name, parsed.GetValue(_bundle), cancellationToken).ConfigureAwait(false);
        return environment.Runtime.WithVolumes(container, choice);
    }

    private static Dictionary<string, VolumePolicy> NamedIn(string[] texts)
    {
        var named = new Dictionary<string, VolumePolicy>();
        foreach (string text in texts)
        {
            int equals = text.LastIndexOf('=');
            if (equals < 0 || !text.StartsWith('/') || !s_policies.TryGetValue(text[(equals + 1)..], out VolumePolicy policy))
                throw new UsageException($"--volume {text}: say it as in --volume /data=copy, with the path that the container sees and {Policies.Replace("|", ", ", StringComparison.Ordinal)}.");
            if (!named.TryAdd(Path.TrimEndingDirectorySeparator(Path.GetFullPath(text[..equals])), policy))
                throw new UsageException($"--volume says two things of {text[..equals]}.");
        }

        return named;
    }
}
